"""Groups as pages show them, made without servers: in every state, and with whatever anybody wrote."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from api.pages.group_html import Shows, group_page, live_part
from domain.groupbuy.deal import DealStatus, Grouping, Terms
from domain.pricing.schedule import PriceSchedule, Tier
from domain.sharing.language import Language
from infra.reading.deals import DealView, VariantView
from infra.reading.groups import ParticipantView
from infra.reading.invites import InviteView
from infra.sharing.landing import Landing
from infra.sharing.landings import Elsewhere
from infra.views import GroupView, NextTier

ORIGIN: Final = "https://tuan.example"
CODE: Final = "8WzLFRkGmMYnvdQT"
OPENED_AT: Final = datetime(2027, 5, 1, 10, 0, tzinfo=UTC)
GROUP_ID: Final = UUID("01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10")
DEAL_ID: Final = UUID("01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b11")
STATES: Final = ("empty", "open", "tipped", "lowest", "succeeded", "failed", "cancelled")

DEAL: Final = DealView(
    id=DEAL_ID,
    merchant_id=UUID("01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b12"),
    title="Jasmine tea, 250 g",
    description="From the hills of Fuding.\nPicked in April.",
    image_url="https://pictures.example/tea.jpg",
    currency="USD",
    solo_price=1_200,
    tiers=(Tier(2, 900), Tier(4, 700)),
    variants=[VariantView(UUID(int=6), "Jasmine tea, 250 g", None, 50, 33)],
    grouping=Grouping.TEAM,
    group_size_max=20,
    group_lifetime_s=3_600,
    starts_at=None,
    ends_at=None,
    last_opening_at=None,
    units_per_shopper_max=None,
    status=DealStatus.LIVE,
    crowd_group_id=None,
    version=1,
    created_at=OPENED_AT,
    needs_shipping=False,
    guests_may_buy=True,
    reward=None,
    takes_payment=False,
)
INVITE: Final = InviteView(
    code=CODE,
    deal_id=DEAL_ID,
    group_id=GROUP_ID,
    sharer_name="Mia",
    channel="whatsapp",
    parent_code=None,
    joins=0,
    created_at=OPENED_AT,
)


TERMS: Final = Terms(
    currency="USD",
    schedule=PriceSchedule(solo_price=1_200, tiers=DEAL.tiers),
    grouping=Grouping.TEAM,
    group_size_max=20,
    units_per_shopper_max=None,
)
"""What the group was opened with, whatever was made of the deal since."""


def group(state: str = "tipped") -> GroupView:
    """A group of the deal."""
    participants = {"empty": 0, "open": 1, "tipped": 3, "lowest": 17, "succeeded": 17}.get(state, 1)
    is_open = state in {"empty", "open", "tipped", "lowest"}
    coming = next((tier for tier in DEAL.tiers if tier.participants > participants), None) if is_open else None
    to_come = NextTier(coming.participants, coming.participants - participants, coming.unit_price) if coming else None
    return GroupView(
        id=GROUP_ID,
        deal_id=DEAL_ID,
        leader_id=None,
        status="open" if is_open else state,
        participants=participants,
        seats_left=DEAL.group_size_max - participants if is_open else 0,
        unit_price=700 if participants >= 4 else 900,
        ceiling_price=900,
        solo_price=1_200,
        next_tier=to_come,
        tipped=participants >= 2,
        opened_at=OPENED_AT,
        expires_at=OPENED_AT + timedelta(hours=1),
        closed_at=None if is_open else OPENED_AT + timedelta(minutes=50),
        closed_by={"cancelled": "merchant", "failed": "deadline", "succeeded": "full"}.get(state),
        version=participants + 1,
        currency="USD",
    )


def person(name: str = "Ada", avatar_url: str | None = None, *, is_leader: bool = False) -> ParticipantView:
    return ParticipantView(display_name=name, avatar_url=avatar_url, joined_at=OPENED_AT, is_leader=is_leader)


def landing(state: str = "tipped", **changes: Any) -> Landing:
    """A group as it was reached by a link; `invite=None` for its own page, `deal` as changes of the deal."""
    deal, shown = replace(DEAL, **changes.pop("deal", {})), group(state)
    people = [person(f"Person {number}", is_leader=number == 1) for number in range(1, min(shown.participants, 12) + 1)]
    plain = Landing(deal=deal, group=shown, terms=TERMS, people=people, invite=INVITE, merchant_name="Leaf & Co")
    return replace(plain, **changes)


def shows(state: str = "tipped", **changes: Any) -> Shows:
    """All that a page shows; of a closed group other groups and deals too."""
    shown = landing(state, **changes)
    if not shown.group.is_closed:
        return Shows(shown, [], [])
    other_deal = replace(DEAL, id=UUID(int=7), title=shown.deal.title)
    elsewhere = Elsewhere(other_deal, replace(group("open"), id=UUID(int=8), deal_id=other_deal.id))
    return Shows(shown, [replace(group("open"), id=UUID(int=9))], [elsewhere])


def page_of(state: str = "tipped", language: Language = Language.EN, **changes: Any) -> str:
    """The page's HTML."""
    return group_page(shows(state, **changes), language, ORIGIN).content.decode()


def part_of(state: str = "tipped", language: Language = Language.EN, **changes: Any) -> str:
    """The HTML of what changes while the page is open."""
    return live_part(shows(state, **changes), language).decode()

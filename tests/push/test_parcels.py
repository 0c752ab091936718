"""What a push is made of: what on the phone it replaces, how long it is of use, and whether it may wake somebody."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.notices.facts import Facts, Standing
from domain.notices.kinds import Channel, Kind
from domain.sharing.language import Language
from infra.ids import new_id
from infra.notices.deliveries import Device, Parcel
from infra.notices.told import NoticeRow
from infra.push.parcels import GOOD_FOR_AT_LEAST_S, GOOD_FOR_S, push_of
from infra.push.port import Push
from tests.push.conftest import ORIGIN

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TWO_HOURS_S = 7_200
FIVE_MINUTES_S = 300
STANDING = Standing(
    status="open",
    participants=3,
    seats_left=2,
    unit_price=1_500,
    solo_price=2_000,
    ceiling_price=1_800,
    next_at=None,
    next_unit_price=None,
    expires_at=NOW + timedelta(seconds=TWO_HOURS_S),
    group_size_max=5,
)


def told(kind: Kind, age_s: int = 60, *, up_to_date_s: int | None = None) -> NoticeRow:
    """A notice of so long ago, brought up to date since or not; of its group, or of a payment due in five minutes."""
    is_of_payment = kind is Kind.PAYMENT_NEEDED
    return NoticeRow(
        id=new_id(),
        kind=kind,
        deal_id=new_id(),
        group_id=new_id(),
        order_id=None,
        title="Tea",
        currency="EUR",
        facts=Facts(
            standing=None if is_of_payment else STANDING,
            joined=1,
            pays_minor=1_500,
            amount_minor=1_800,
            pay_by=NOW + timedelta(seconds=FIVE_MINUTES_S) if is_of_payment else None,
        ),
        at=NOW - timedelta(seconds=age_s if up_to_date_s is None else up_to_date_s),
        created_at=NOW - timedelta(seconds=age_s),
        read_at=None,
        useful_until=None,
        money=None,
        was_held=False,
    )


def pushed(*notices: NoticeRow, now: datetime = NOW) -> Push:
    """The push of a parcel of these, in the order in which they are told."""
    device = Device(new_id(), "ios", "0a1b")
    parcel = Parcel(
        channel=Channel.PUSH,
        target=device.id,
        account_id=new_id(),
        language=Language.EN,
        device=device,
        address=None,
        notices=tuple(sorted(notices, key=lambda notice: notice.at)),
        attempts=1,
        unread=len(notices),
        lease=NOW,
    )
    return push_of(parcel, device, ORIGIN, now)


def test_what_is_brought_up_to_date_keeps_its_place() -> None:
    """Sent again after a crash, with the older of two notices told anew meanwhile, it replaces what the phone shows."""
    older, newer = told(Kind.JOINED, 60), told(Kind.SUCCEEDED, 30)
    anew = told(Kind.JOINED, 60, up_to_date_s=10)
    first = pushed(older, newer)
    assert first.collapse_id == f"{older.group_id}:joined"
    assert pushed(newer, anew).collapse_id == f"{anew.group_id}:joined"


@pytest.mark.parametrize(
    ("kinds", "good_for_s", "is_urgent"),
    [
        ([Kind.JOINED], TWO_HOURS_S, False),
        ([Kind.ONE_HOUR_LEFT], TWO_HOURS_S, True),
        ([Kind.PAYMENT_NEEDED], FIVE_MINUTES_S, True),
        ([Kind.SUCCEEDED], GOOD_FOR_S, True),
        ([Kind.JOINED, Kind.PAYMENT_NEEDED], TWO_HOURS_S, True),
    ],
)
def test_a_push_is_of_use_as_long_as_what_it_tells(kinds: list[Kind], good_for_s: int, *, is_urgent: bool) -> None:
    """A phone that was off shows nothing of a group that is over; what happens again and again wakes no phone."""
    push = pushed(*map(told, kinds))
    assert (push.good_for_s, push.is_urgent) == (good_for_s, is_urgent)


def test_what_is_nearly_over_is_given_a_minute() -> None:
    """No service is asked for a push that was of no use before it was sent."""
    assert pushed(told(Kind.JOINED), now=STANDING.expires_at).good_for_s == GOOD_FOR_AT_LEAST_S

"""A deal's life: draft, scheduled, live, paused, ended; who may steer it; and what it lets open when."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.errors import DomainError, InvalidInput
from domain.groupbuy.commands import (
    CreateDeal,
    EditDeal,
    EndDeal,
    JoinGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    ResumeDeal,
    StartCrowd,
)
from domain.groupbuy.deal import DealStatus
from domain.groupbuy.errors import (
    DealClosesTooSoon,
    DealNotEditable,
    DealNotFound,
    DealNotPublished,
    DealNotStarted,
    DealOver,
    DealPausedNow,
)
from tests.domain.catalogue import (
    ANN,
    BEN,
    BLUE,
    DEAL,
    GROUP,
    INSTANT,
    LIFETIME,
    MERCHANT,
    NOON,
    OTHER_GROUP,
    OTHER_MERCHANT,
    RED,
    Scene,
    names,
    offer,
    schedule,
    wrong_fields,
)

PUBLISH = PublishDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP)
PAUSE = PauseDeal(deal_id=DEAL, merchant_id=MERCHANT)
RESUME = ResumeDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP)
END = EndDeal(deal_id=DEAL, merchant_id=MERCHANT)
OPEN = OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=GROUP, shopper_id=ANN)


def edit(**changes: object) -> EditDeal:
    """An edit by the deal's merchant."""
    return EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes=changes)


def test_a_draft_becomes_scheduled_live_and_ended_by_time_alone() -> None:
    """The window counts from its first moment on and no longer at its last."""
    scene = Scene()
    scene.draft(starts_at=NOON + LIFETIME, ends_at=NOON + 3 * LIFETIME)
    assert scene.world.deals[DEAL].status_at(NOON + 5 * LIFETIME) is DealStatus.DRAFT
    assert names(scene.does(PUBLISH)) == ["DealPublished"]
    deal = scene.world.deals[DEAL]
    seen = [deal.status_at(NOON + LIFETIME + offset) for offset in (-INSTANT, timedelta(0))]
    assert seen == [DealStatus.SCHEDULED, DealStatus.LIVE]
    seen = [deal.status_at(NOON + 3 * LIFETIME + offset) for offset in (-INSTANT, timedelta(0))]
    assert seen == [DealStatus.LIVE, DealStatus.ENDED]


def test_pausing_and_resuming_again_is_no_refusal() -> None:
    """A retried step of a deal's life is answered without another event."""
    scene = Scene()
    scene.live()
    assert scene.does(PUBLISH) == scene.does(RESUME) == ()
    assert names(scene.does(PAUSE)) == ["DealPaused"]
    assert scene.does(PAUSE) == scene.does(PUBLISH) == ()
    assert names(scene.does(RESUME)) == ["DealResumed"]
    assert names(scene.does(END)) == ["DealEnded"]
    assert scene.does(END) == ()
    assert scene.world.deals[DEAL].version == 5
    for step in (PUBLISH, PAUSE, RESUME, edit(title="Pot")):
        scene.refuses(step, DealOver)


@pytest.mark.parametrize("step", [PAUSE, RESUME, END])
def test_a_draft_has_no_life_to_steer(step: PauseDeal | ResumeDeal | EndDeal) -> None:
    """A draft is published first."""
    scene = Scene()
    scene.draft()
    scene.refuses(step, DealNotPublished)


@pytest.mark.parametrize("command", [PUBLISH, PAUSE, RESUME, END, edit(title="Pot")])
def test_other_merchants_do_not_find_the_deal(
    command: PublishDeal | PauseDeal | ResumeDeal | EndDeal | EditDeal,
) -> None:
    """A merchant touches only his own deals; that of another is as if it were not there."""
    scene = Scene()
    scene.refuses(command, DealNotFound)
    scene.does(CreateDeal(deal_id=DEAL, merchant_id=OTHER_MERCHANT, offer=offer(), variants=(RED,)))
    scene.refuses(command, DealNotFound)


@pytest.mark.parametrize(
    ("steps", "after", "kind"),
    [
        ([], timedelta(0), DealNotFound),
        ([PUBLISH], timedelta(0), DealNotStarted),
        ([PUBLISH], LIFETIME - INSTANT, DealNotStarted),
        ([PUBLISH, PAUSE], 2 * LIFETIME, DealPausedNow),
        ([PUBLISH, END], 2 * LIFETIME, DealOver),
        ([PUBLISH], 3 * LIFETIME + INSTANT, DealClosesTooSoon),
        ([PUBLISH], 4 * LIFETIME - INSTANT, DealClosesTooSoon),
        ([PUBLISH], 4 * LIFETIME, DealOver),
    ],
)
def test_groups_open_only_while_the_deal_takes_them(
    steps: list[PublishDeal | PauseDeal | EndDeal], after: timedelta, kind: type[DomainError]
) -> None:
    """Each way a deal takes no new group has its own name."""
    scene = Scene()
    scene.draft(starts_at=NOON + LIFETIME, ends_at=NOON + 4 * LIFETIME)
    for step in steps:
        scene.does(step)
    scene.now += after
    scene.refuses(OPEN, kind)


def test_the_last_group_opens_a_whole_lifetime_before_the_end() -> None:
    """Promise 5: at exactly that moment it still opens, with its whole lifetime, and the deal says the moment."""
    scene = Scene()
    scene.live(ends_at=NOON + 4 * LIFETIME)
    scene.now = NOON + 3 * LIFETIME
    assert scene.world.deals[DEAL].last_opening_at == scene.now
    scene.does(OPEN)
    assert scene.group().expires_at == scene.now + LIFETIME
    scene.now += INSTANT
    error = scene.refuses(
        OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=OTHER_GROUP, shopper_id=BEN), DealClosesTooSoon
    )
    assert (NOON + 3 * LIFETIME).isoformat() in str(error)
    scene.joined(BEN)


def test_open_groups_outlive_a_pause_and_an_end() -> None:
    """Pausing and ending stop new groups only; whoever is invited into an open one still gets in."""
    scene = Scene()
    scene.live()
    scene.opened()
    scene.does(PAUSE)
    scene.joined(BEN)
    scene.does(END)
    scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=UUID(int=77)))
    assert scene.group().participants == 3


@pytest.mark.parametrize("late", [timedelta(0), LIFETIME])
def test_a_deal_that_could_never_open_a_group_is_not_published(late: timedelta) -> None:
    """Publishing after the end, or with less than a lifetime left, names the field to change; nothing is published."""
    scene = Scene()
    scene.draft(ends_at=NOON + LIFETIME)
    scene.now = NOON + INSTANT + late
    error = scene.refuses(PUBLISH, InvalidInput)
    assert wrong_fields(error) == (["ends_at"] if late else ["group_lifetime_s"])
    scene.now = NOON
    assert scene.does(PUBLISH)


def test_a_draft_can_be_changed_in_every_field() -> None:
    """Until it is published nobody relies on a deal."""
    scene = Scene()
    scene.draft()
    prices = schedule(500, (2, 400))
    changes = {"currency": "JPY", "schedule": prices, "title": "Pot", "starts_at": NOON}
    command = EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes=changes, variants=(RED, BLUE))
    assert names(scene.does(command)) == ["DealEdited"]
    deal = scene.world.deals[DEAL]
    assert (deal.offer, deal.variants, deal.version) == (offer(**changes), (RED, BLUE), 2)
    assert scene.world.stock_left[DEAL] == {RED.id: RED.stock, BLUE.id: BLUE.stock}
    assert scene.does(edit(title="Pot")) == ()
    assert wrong_fields(scene.refuses(edit(title=""), InvalidInput)) == ["title"]
    no_variants = EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes={}, variants=())
    assert wrong_fields(scene.refuses(no_variants, InvalidInput)) == ["variants"]


def test_a_published_deal_is_paused_before_it_changes() -> None:
    """While groups can open, terms do not move under the shopper's finger."""
    scene = Scene()
    scene.live(ends_at=NOON + 4 * LIFETIME)
    scene.refuses(edit(title="Pot"), DealNotEditable)
    scene.does(PAUSE)
    assert names(scene.does(edit(title="Pot"))) == ["DealEdited"]
    for field, value in (("currency", "JPY"), ("grouping", "crowd"), ("starts_at", NOON)):
        assert wrong_fields(scene.refuses(edit(**{field: value}), InvalidInput)) == [field]
    variants = EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes={}, variants=(BLUE,))
    assert wrong_fields(scene.refuses(variants, InvalidInput)) == ["variants"]
    scene.now = NOON + 4 * LIFETIME
    scene.refuses(edit(title="Jug"), DealOver)


def test_an_edit_does_not_reach_groups_already_open() -> None:
    """Promise 4: an open group keeps prices, size and deadline; the next one gets the new ones."""
    scene = Scene()
    scene.live()
    scene.opened()
    before = scene.group()
    scene.does(PAUSE)
    cheaper = schedule(2_000, (2, 100))
    scene.does(edit(schedule=cheaper, group_size_max=2, group_lifetime_s=60, units_per_shopper_max=1))
    scene.does(RESUME)
    assert scene.group() == before
    scene.joined(BEN)
    assert (scene.group().unit_price, scene.group().is_open) == (1_800, True)
    scene.opened(UUID(int=77), OTHER_GROUP)
    assert scene.group(OTHER_GROUP).terms == offer(
        schedule=cheaper, group_size_max=2, group_lifetime_s=60, units_per_shopper_max=1
    ).terms_with(None)


def test_no_deal_no_crowd() -> None:
    """The clock's command for a deal that is not there is refused by name."""
    Scene().refuses(StartCrowd(deal_id=DEAL, group_id=GROUP), DealNotFound)


def test_two_edits_of_halves_of_the_price_schedule_both_count() -> None:
    """Whoever changes the solo price leaves the tiers as they have become, and the other way round."""
    scene = Scene()
    scene.live()
    scene.does(PAUSE)
    scene.does(edit(tiers=schedule(2_000, (2, 150)).tiers))
    scene.does(edit(solo_price=5_000))
    deal = scene.world.deals[DEAL]
    assert deal.offer.schedule == schedule(5_000, (2, 150))
    assert wrong_fields(scene.refuses(edit(solo_price=150), InvalidInput)) == ["tiers[0].unit_price"]


def test_a_paused_deal_cannot_be_edited_to_an_end() -> None:
    """A slip in `ends_at` is named as in publishing; ending a deal for good is a command of its own."""
    scene = Scene()
    scene.live()
    scene.does(PAUSE)
    assert wrong_fields(scene.refuses(edit(ends_at=NOON - LIFETIME), InvalidInput)) == ["ends_at"]
    assert scene.world.deals[DEAL].status_at(scene.now) is DealStatus.PAUSED

"""Taking a place and giving it up: bounds, deadlines and retries."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.groupbuy.commands import CancelGroup, CloseGroup, JoinGroup, LeaveGroup
from domain.groupbuy.deal import QUANTITY_MAX
from domain.groupbuy.errors import (
    GroupClosed,
    GroupCommitted,
    GroupFull,
    GroupNotFound,
)
from domain.groupbuy.events import GroupCancelled, GroupSucceeded, ParticipantJoined, TierReached
from domain.groupbuy.group import ClosedBy
from tests.domain.catalogue import (
    ANN,
    BEN,
    CAT,
    DAN,
    DEAL,
    ELSEWHERE,
    EVE,
    GROUP,
    INSTANT,
    LIFETIME,
    MERCHANT,
    NOON,
    Scene,
    a_group,
    join,
    names,
    only,
    schedule,
)


def test_the_price_drops_with_each_tier_and_the_last_place_closes_the_group() -> None:
    """Promises 2, 3 and 5: the tier is told when it is reached, and the join that fills the group closes it."""
    scene = a_group()
    assert names(scene.does(join(BEN))) == ["ParticipantJoined", "TierReached"]
    assert names(scene.does(join(CAT))) == ["ParticipantJoined"]
    events = scene.does(join(DAN))
    assert names(events) == ["ParticipantJoined", "TierReached", "GroupSucceeded"]
    assert (only(TierReached, events).unit_price, only(TierReached, events).tipped) == (1_500, False)
    closing = only(GroupSucceeded, events)
    assert (closing.participants, closing.unit_price, closing.closed_by) == (4, 1_500, ClosedBy.FULL)
    group = scene.group()
    assert (group.final_unit_price, group.seats_left, group.closed_at) == (1_500, 0, NOON)
    scene.refuses(join(EVE), GroupFull)
    scene.now += 2 * LIFETIME
    scene.refuses(join(EVE), GroupFull)


def test_the_first_tier_tips_the_group() -> None:
    """Promise 2: whoever reaches the first tier commits everybody, and the event says so."""
    scene = a_group()
    reached = only(TierReached, scene.does(join(BEN)))
    assert (reached.participants, reached.unit_price, reached.tipped) == (2, 1_800, True)


def test_the_hold_is_the_ceiling_price_for_every_unit() -> None:
    """Promise 3: late joiners hold the ceiling too, though the price has dropped."""
    scene = a_group()
    scene.joined(BEN, CAT)
    joined = only(ParticipantJoined, scene.does(join(DAN, quantity=3)))
    assert (joined.hold_minor, joined.unit_price, joined.participants) == (3 * 1_800, 1_500, 4)


def test_a_join_counts_until_the_instant_before_the_deadline() -> None:
    """Promise 5: at the deadline the fate is decided, whether or not somebody has closed the group yet."""
    scene = a_group()
    scene.now = NOON + LIFETIME - INSTANT
    scene.joined(BEN)
    scene.now += INSTANT
    scene.refuses(join(CAT), GroupClosed)
    scene.refuses(LeaveGroup(group_id=GROUP, shopper_id=BEN), GroupClosed)
    scene.refuses(CancelGroup(group_id=GROUP, merchant_id=MERCHANT), GroupClosed)
    assert names(scene.does(CloseGroup(group_id=GROUP))) == ["GroupSucceeded"]
    assert scene.does(CloseGroup(group_id=GROUP)) == ()


@pytest.mark.parametrize(("others", "closing"), [([], "GroupFailed"), ([BEN], "GroupSucceeded")])
def test_a_group_closes_at_its_deadline_and_not_before(others: list[UUID], closing: str) -> None:
    """Promises 3 and 5: an instant early nothing happens; at the deadline the first tier decides."""
    scene = a_group()
    for shopper_id in others:
        scene.does(join(shopper_id))
    scene.now = NOON + LIFETIME - INSTANT
    assert scene.does(CloseGroup(group_id=GROUP)) == ()
    scene.now += INSTANT
    assert names(scene.does(CloseGroup(group_id=GROUP))) == [closing]
    assert scene.stock_left() == (10 if closing == "GroupFailed" else 8)
    scene.refuses(join(CAT), GroupClosed)


def test_a_repeated_join_has_one_effect() -> None:
    """Promise 6: whatever the repeated body says, and whatever became of the group, nothing happens again."""
    scene = a_group()
    scene.joined(BEN)
    place = scene.world.places[(DEAL, BEN)][GROUP]
    again = join(BEN, quantity=QUANTITY_MAX + 1, variant_id=ELSEWHERE, invite_code="unknown")
    assert scene.does(again) == ()
    scene.now += LIFETIME
    assert scene.does(again) == ()
    scene.does(CloseGroup(group_id=GROUP))
    assert scene.does(again) == scene.does(join(ANN)) == ()
    assert scene.world.places[(DEAL, BEN)] == {GROUP: place}


def test_leaving_frees_place_and_units_until_the_group_tips() -> None:
    """Promise 2: before the first tier anybody may leave, from it on nobody."""
    scene = a_group(schedule=schedule(2_000, (3, 1_800)))
    scene.joined(BEN)
    assert names(scene.does(LeaveGroup(group_id=GROUP, shopper_id=BEN))) == ["ParticipantLeft"]
    assert scene.does(LeaveGroup(group_id=GROUP, shopper_id=BEN)) == ()
    assert (scene.group().participants, scene.stock_left()) == (1, 9)
    scene.joined(BEN, CAT)
    for shopper_id in (ANN, BEN, CAT):
        scene.refuses(LeaveGroup(group_id=GROUP, shopper_id=shopper_id), GroupCommitted)


def test_a_group_runs_on_when_its_leader_leaves() -> None:
    """The leader is a participant like any other; who opened the group is remembered."""
    scene = a_group(schedule=schedule(2_000, (3, 1_800)))
    scene.joined(BEN)
    assert names(scene.does(LeaveGroup(group_id=GROUP, shopper_id=ANN))) == ["ParticipantLeft"]
    assert (scene.group().is_open, scene.group().leader_id, scene.group().participants) == (True, ANN, 1)
    scene.joined(ANN)


def test_a_team_that_everyone_left_is_over() -> None:
    """Nobody is left to share it: the group is cancelled and its units are free, once."""
    scene = a_group()
    events = scene.does(LeaveGroup(group_id=GROUP, shopper_id=ANN))
    assert names(events) == ["ParticipantLeft", "GroupCancelled"]
    assert only(GroupCancelled, events).closed_by is ClosedBy.EVERYONE_LEFT
    assert (scene.stock_left(), scene.group().version) == (10, 4)
    scene.refuses(join(BEN), GroupClosed)
    scene.now += LIFETIME
    assert scene.does(CloseGroup(group_id=GROUP)) == ()


def test_a_place_number_never_repeats() -> None:
    """Who leaves and comes back is last in line."""
    scene = a_group(schedule=schedule(2_000, (4, 1_800)))
    scene.joined(BEN, CAT)
    scene.does(LeaveGroup(group_id=GROUP, shopper_id=BEN))
    scene.joined(BEN)
    numbers = [scene.world.places[(DEAL, shopper_id)][GROUP].number for shopper_id in (ANN, CAT, BEN)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "command",
    [
        join(),
        LeaveGroup(group_id=GROUP, shopper_id=ANN),
        CloseGroup(group_id=GROUP),
        CancelGroup(group_id=GROUP, merchant_id=MERCHANT),
    ],
)
def test_a_group_that_is_not_there_is_not_found(command: JoinGroup | LeaveGroup | CloseGroup | CancelGroup) -> None:
    """No command makes a group up."""
    scene = Scene()
    scene.live()
    scene.now += timedelta(days=1)
    scene.refuses(command, GroupNotFound)

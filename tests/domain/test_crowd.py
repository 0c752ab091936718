"""A crowd deal's one group: opened once by whatever makes the deal live, never by a shopper."""

from datetime import timedelta
from uuid import uuid4

from domain.groupbuy.commands import (
    CloseGroup,
    Command,
    EndDeal,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    ResumeDeal,
    StartCrowd,
)
from domain.groupbuy.deal import Grouping
from domain.groupbuy.errors import CrowdHasOneGroup, GroupClosed
from domain.groupbuy.group import GroupStatus
from tests.domain.catalogue import (
    ANN,
    BEN,
    DEAL,
    GROUP,
    INSTANT,
    LIFETIME,
    MERCHANT,
    NOON,
    OTHER_GROUP,
    Scene,
    names,
)

START = StartCrowd(deal_id=DEAL, group_id=GROUP)
PUBLISH = PublishDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP)
PAUSE = PauseDeal(deal_id=DEAL, merchant_id=MERCHANT)
RESUME = ResumeDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP)


def with_other_id() -> list[Command]:
    """Everything that could open a crowd's group, with an id it must not get."""
    return [
        StartCrowd(deal_id=DEAL, group_id=OTHER_GROUP),
        PublishDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=OTHER_GROUP),
        ResumeDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=OTHER_GROUP),
    ]


def opens_no_other(scene: Scene) -> bool:
    """Whether nothing opens a second group."""
    for command in with_other_id():
        scene.does(command)
    return OTHER_GROUP not in scene.world.groups


def test_publishing_a_live_crowd_opens_its_group_once() -> None:
    """The one group opens with the deal, empty and without a leader; nothing opens another, even after its closing."""
    scene = Scene()
    scene.draft(grouping=Grouping.CROWD)
    assert scene.does(START) == ()
    assert names(scene.does(PUBLISH)) == ["DealPublished", "GroupOpened"]
    group = scene.group()
    assert (group.leader_id, group.participants, group.version) == (None, 0, 1)
    assert scene.world.deals[DEAL].crowd_group_id == GROUP
    assert opens_no_other(scene)
    scene.now = group.expires_at
    scene.does(CloseGroup(group_id=GROUP))
    scene.does(PAUSE)
    assert opens_no_other(scene)


def test_the_clock_opens_a_scheduled_crowd_at_its_start() -> None:
    """One instant before the start nothing opens; at the start the group does, once."""
    scene = Scene()
    scene.draft(grouping=Grouping.CROWD, starts_at=NOON + LIFETIME)
    assert names(scene.does(PUBLISH)) == ["DealPublished"]
    scene.now = NOON + LIFETIME - INSTANT
    assert scene.does(START) == ()
    scene.now += INSTANT
    assert names(scene.does(START)) == ["GroupOpened"]
    assert scene.does(START) == ()
    assert opens_no_other(scene)


def test_a_crowd_paused_before_its_start_opens_when_it_is_resumed() -> None:
    """Paused over its start, a crowd opens with the resuming and not before."""
    scene = Scene()
    scene.draft(grouping=Grouping.CROWD, starts_at=NOON + LIFETIME)
    scene.does(PUBLISH)
    scene.does(PAUSE)
    scene.now = NOON + 2 * LIFETIME
    assert scene.does(START) == ()
    assert names(scene.does(RESUME)) == ["DealResumed", "GroupOpened"]
    assert scene.group().expires_at == scene.now + LIFETIME
    assert opens_no_other(scene)


def test_a_crowd_that_opens_late_closes_with_its_deal() -> None:
    """A crowd has only one group, so it is cut to the window instead of refused."""
    scene = Scene()
    scene.live(grouping=Grouping.CROWD, ends_at=NOON + timedelta(minutes=20), starts_at=None)
    assert scene.group().expires_at == NOON + timedelta(minutes=20)


def test_an_ended_crowd_never_opens() -> None:
    """Ended before its start, by its merchant or by time, a crowd has no group."""
    scene = Scene()
    scene.draft(grouping=Grouping.CROWD, starts_at=NOON + LIFETIME, ends_at=NOON + 2 * LIFETIME)
    scene.does(PUBLISH)
    scene.now = NOON + 2 * LIFETIME
    assert scene.does(START) == ()
    scene.now = NOON + LIFETIME
    scene.does(EndDeal(deal_id=DEAL, merchant_id=MERCHANT))
    assert scene.does(START) == ()


def test_a_team_deal_has_no_crowd() -> None:
    """The clock's command opens nothing where shoppers open the groups."""
    scene = Scene()
    scene.live()
    assert scene.does(START) == ()
    assert not scene.world.groups


def test_shoppers_open_no_group_of_a_crowd() -> None:
    """The refusal names the one group to join."""
    scene = Scene()
    scene.live(grouping=Grouping.CROWD)
    error = scene.refuses(
        OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=OTHER_GROUP, shopper_id=ANN), CrowdHasOneGroup
    )
    assert str(GROUP) in str(error)


def test_a_crowd_that_everyone_left_stays_open() -> None:
    """A crowd begins empty and may be empty again."""
    scene = Scene()
    scene.live(grouping=Grouping.CROWD)
    scene.joined(ANN)
    assert names(scene.does(LeaveGroup(group_id=GROUP, shopper_id=ANN))) == ["ParticipantLeft"]
    assert scene.group().is_open
    scene.joined(ANN, BEN)
    scene.now = scene.group().expires_at
    assert names(scene.does(CloseGroup(group_id=GROUP))) == ["GroupSucceeded"]


def test_an_empty_crowd_fails_at_its_deadline() -> None:
    """Nobody joined, nobody pays, no units come back."""
    scene = Scene()
    scene.live(grouping=Grouping.CROWD)
    scene.now = scene.group().expires_at
    scene.does(CloseGroup(group_id=GROUP))
    assert scene.group().status is GroupStatus.FAILED
    assert scene.stock_left() == 10
    assert scene.group().final_unit_price is None
    scene.refuses(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=ANN), GroupClosed)

"""A merchant calling a group off, and the links shoppers share."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.errors import InvalidInput
from domain.groupbuy.commands import CancelGroup, CreateInvite, JoinGroup, LeaveGroup, OpenGroup, RevokeInvite
from domain.groupbuy.decide_invite import LINKS_MAX
from domain.groupbuy.errors import GroupClosed, GroupNotFound, InviteNotFound, InviteNotUsable, TooManyLinks
from domain.groupbuy.events import GroupCancelled, InviteCreated, InviteRevoked, ParticipantJoined
from domain.groupbuy.group import ClosedBy, GroupStatus
from tests.domain.catalogue import (
    ANN,
    BEN,
    CAT,
    DAN,
    DEAL,
    ELSEWHERE,
    EVE,
    GROUP,
    LIFETIME,
    MERCHANT,
    OTHER_DEAL,
    OTHER_GROUP,
    OTHER_MERCHANT,
    RED,
    Scene,
    join,
    only,
    schedule,
    wrong_fields,
)

CANCEL = CancelGroup(group_id=GROUP, merchant_id=MERCHANT)
SHARE = CreateInvite(group_id=GROUP, sharer_id=ANN, channel="chat", code="from-ann")
REVOKE = RevokeInvite(group_id=GROUP, sharer_id=ANN, code="from-ann")


def a_group() -> Scene:
    """Ann's group of four, which tips at four."""
    scene = Scene()
    scene.live(schedule=schedule(2_000, (4, 1_800)))
    scene.opened()
    return scene


def test_a_cancelled_group_costs_nobody_anything() -> None:
    """Promise 3: units go back, nobody pays, and cancelling again is no refusal."""
    scene = a_group()
    scene.joined(BEN)
    cancelled = only(GroupCancelled, scene.does(CANCEL))
    assert (cancelled.participants, cancelled.closed_by) == (2, ClosedBy.MERCHANT)
    assert dict(cancelled.returned_units) == {RED.id: 2}
    assert scene.stock_left() == 10
    assert (scene.group().status, scene.group().final_unit_price) == (GroupStatus.CANCELLED, None)
    assert scene.does(CANCEL) == ()
    scene.refuses(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=CAT), GroupClosed)
    scene.refuses(LeaveGroup(group_id=GROUP, shopper_id=BEN), GroupClosed)


def test_another_merchant_does_not_find_the_group() -> None:
    """A merchant calls off only groups of his own deals."""
    scene = a_group()
    scene.refuses(replace(CANCEL, merchant_id=OTHER_MERCHANT), GroupNotFound)
    scene.does(CANCEL)
    scene.refuses(replace(CANCEL, merchant_id=OTHER_MERCHANT), GroupNotFound)


def test_a_succeeded_group_cannot_be_cancelled() -> None:
    """Promise 5: a fate once decided stays."""
    scene = a_group()
    scene.joined(BEN, CAT, DAN)
    scene.refuses(CANCEL, GroupClosed)


def test_an_invite_counts_whom_it_brought() -> None:
    """Joins through a link are counted, and taken off again when somebody leaves."""
    scene = a_group()
    scene.does(SHARE)
    for shopper_id in (BEN, CAT):
        scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=shopper_id, invite_code="from-ann"))
    assert scene.world.invites["from-ann"].joins == 2
    scene.does(LeaveGroup(group_id=GROUP, shopper_id=BEN))
    assert scene.world.invites["from-ann"].joins == 1
    scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=BEN))
    assert scene.world.invites["from-ann"].joins == 1


def test_a_sharer_always_gets_the_same_link_for_a_channel() -> None:
    """Promise 6: asked again, also after closing, the first link stands; another channel or sharer gets another."""
    scene = a_group()
    assert only(InviteCreated, scene.does(SHARE)).code == "from-ann"
    assert scene.does(replace(SHARE, code="second")) == ()
    assert scene.does(replace(SHARE, channel="poster", code="poster"))
    assert scene.does(replace(SHARE, sharer_id=EVE, code="from-eve"))
    assert set(scene.world.invites) == {"from-ann", "poster", "from-eve"}
    scene.now += LIFETIME
    assert scene.does(replace(SHARE, code="third")) == ()
    scene.refuses(replace(SHARE, channel="mail", code="late"), GroupClosed)


def test_a_revoked_link_leads_nowhere_and_whoever_came_by_it_stays_brought() -> None:
    """A link taken back brings nobody more, its figures stay, and its channel gets a new one."""
    scene = a_group()
    scene.does(SHARE)
    scene.does(join(BEN, invite_code="from-ann"))
    scene.refuses(replace(REVOKE, sharer_id=BEN), InviteNotFound)
    scene.refuses(replace(REVOKE, code="nobodys"), InviteNotFound)
    assert only(InviteRevoked, scene.does(REVOKE)).code == "from-ann"
    assert scene.does(REVOKE) == ()
    assert scene.world.invites["from-ann"].joins == 1
    scene.refuses(join(CAT, invite_code="from-ann"), InviteNotUsable)
    assert only(InviteCreated, scene.does(replace(SHARE, code="anew"))).code == "anew"
    assert scene.does(REVOKE) == ()
    assert scene.does(replace(SHARE, code="third")) == ()


def test_a_link_is_revoked_whatever_became_of_its_group() -> None:
    """Who posted a link in the wrong chat can take it back after closing, too."""
    scene = a_group()
    scene.does(SHARE)
    scene.does(CANCEL)
    assert only(InviteRevoked, scene.does(REVOKE)).sharer_id == ANN


def test_nobody_makes_links_without_end() -> None:
    """Links into one group are bounded, revoked ones counted; the one there is for a channel still stands."""
    scene = a_group()
    scene.does(SHARE)
    for number in range(1, LINKS_MAX):
        scene.does(replace(SHARE, channel="qr", code=f"qr-{number}"))
        scene.does(replace(REVOKE, code=f"qr-{number}"))
    scene.refuses(replace(SHARE, channel="qr", code="one-more"), TooManyLinks)
    assert scene.does(SHARE) == ()
    assert scene.does(replace(SHARE, sharer_id=BEN, code="from-ben"))


def test_invites_remember_the_invite_their_sharer_came_by() -> None:
    """The chain of shares can be walked back to its first link."""
    scene = a_group()
    scene.does(SHARE)
    scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=BEN, invite_code="from-ann"))
    scene.does(replace(SHARE, sharer_id=BEN, code="from-ben"))
    scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=CAT, invite_code="from-ben"))
    scene.does(replace(SHARE, sharer_id=CAT, code="from-cat"))
    parents = {code: invite.parent_code for code, invite in scene.world.invites.items()}
    assert parents == {"from-ann": None, "from-ben": "from-ann", "from-cat": "from-ben"}


def test_nobody_is_brought_by_his_own_link() -> None:
    """Joining through one's own link is a join that nobody brought, and its next link has no parent."""
    scene = a_group()
    scene.does(replace(SHARE, sharer_id=BEN, code="from-ben"))
    joined = only(
        ParticipantJoined,
        scene.does(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=BEN, invite_code="from-ben")),
    )
    assert joined.invite_code is None
    assert scene.world.invites["from-ben"].joins == 0


def test_nobody_is_brought_by_whom_they_brought() -> None:
    """Ann brings Ben, Ben shares, Ann leaves and comes back by Ben's link: also where he has left by then."""
    for ben_leaves in (False, True):
        scene = a_group()
        scene.does(SHARE)
        scene.does(join(invite_code="from-ann"))
        scene.does(replace(SHARE, sharer_id=BEN, code="from-ben"))
        scene.joined(CAT)
        for gone in (ANN, BEN) if ben_leaves else (ANN,):
            scene.does(LeaveGroup(group_id=GROUP, shopper_id=gone))
        back = only(ParticipantJoined, scene.does(join(ANN, invite_code="from-ben")))
        assert back.invite_code is None
        assert scene.world.invites["from-ben"].joins == 0


def test_links_that_were_there_before_close_no_ring() -> None:
    """Ben and Cat share from outside: one brings the other into a group, into another group the other the one."""
    scene = a_group()
    scene.opened(DAN, OTHER_GROUP)
    scene.does(replace(SHARE, sharer_id=BEN, code="from-ben"))
    scene.does(replace(SHARE, sharer_id=CAT, code="from-cat"))
    for group_id, first, second in ((GROUP, BEN, CAT), (OTHER_GROUP, CAT, BEN)):
        codes = {BEN: "from-ben", CAT: "from-cat"}
        brought = only(ParticipantJoined, scene.does(join(first, group_id=group_id, invite_code=codes[second])))
        assert brought.invite_code == codes[second]
        back = only(ParticipantJoined, scene.does(join(second, group_id=group_id, invite_code=codes[first])))
        assert back.invite_code is None


def test_a_link_works_within_its_deal_only() -> None:
    """A link into one deal is refused in another, as is one that nobody made; any group of its own deal takes it."""
    scene = a_group()
    scene.does(SHARE)
    scene.live(OTHER_DEAL, (replace(RED, id=ELSEWHERE),))
    foreign = OpenGroup(
        order_id=uuid4(), deal_id=OTHER_DEAL, group_id=OTHER_GROUP, shopper_id=BEN, invite_code="from-ann"
    )
    scene.refuses(foreign, InviteNotUsable)
    scene.refuses(JoinGroup(order_id=uuid4(), group_id=GROUP, shopper_id=BEN, invite_code="unknown"), InviteNotUsable)
    joined = only(ParticipantJoined, scene.does(replace(foreign, deal_id=DEAL)))
    assert joined.invite_code == "from-ann"
    assert scene.world.invites["from-ann"].joins == 1


@pytest.mark.parametrize("channel", ["", " ", "x" * 33, "a\x00", "\udfff", "Jane Doe +447911123456", "微信"])
def test_a_channel_is_a_short_word(channel: str) -> None:
    """What could not be stored or counted, or may say something of somebody for good, is no channel."""
    scene = a_group()
    assert wrong_fields(scene.refuses(replace(SHARE, channel=channel), InvalidInput)) == ["channel"]


def test_a_link_needs_a_group() -> None:
    """There is no sharing a group that is not there."""
    scene = Scene()
    scene.live()
    scene.refuses(SHARE, GroupNotFound)

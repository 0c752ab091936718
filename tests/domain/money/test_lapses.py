"""Reservations that come to nothing: what is free again, and what becomes of the group."""

from domain.groupbuy.commands import CancelGroup, CloseGroup, LeaveGroup
from domain.groupbuy.deal import Grouping
from domain.groupbuy.events import (
    GroupCancelled,
    GroupOpened,
    ReservationLapsed,
)
from domain.groupbuy.group import ClosedBy
from domain.groupbuy.payment import LapsedBecause, PaymentStatus
from tests.domain.catalogue import (
    ANN,
    BEN,
    CAT,
    DAN,
    EVE,
    GROUP,
    INSTANT,
    LIFETIME,
    MERCHANT,
    names,
    only,
)
from tests.domain.money.till import (
    PAY_WITHIN,
    Till,
    a_paid_group,
    joining,
    opening,
    order_of,
)


def test_a_lapse_frees_place_and_stock() -> None:
    """Once: what lapsed twice would give the units back twice."""
    till = a_paid_group(ANN, BEN, CAT)
    order_id = till.reserves(DAN)
    assert names(till.lapses(order_id)) == ["ReservationLapsed"]
    assert till.lapses(order_id) == ()
    assert (till.group().awaiting, till.stock_left()) == (0, 7)
    assert till.payment(order_id).status is PaymentStatus.LAPSED
    till.reserves(EVE)
    assert till.stock_left() == 6


def test_what_is_paid_cannot_lapse() -> None:
    """A sweep that is late, or a decline heard after the approval, takes no place from who has paid."""
    till = a_paid_group(ANN)
    till.now += PAY_WITHIN
    for because in (LapsedBecause.DEADLINE, LapsedBecause.DECLINED):
        assert till.lapses(order_of(ANN), because) == ()
    assert till.group().participants == 1


def test_the_clock_is_heard_when_the_deadline_has_come() -> None:
    """Not an instant sooner, even if a sweep's clock is ahead."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.now += PAY_WITHIN - INSTANT
    assert till.lapses(order_id, LapsedBecause.DEADLINE) == ()
    till.now += INSTANT
    assert only(ReservationLapsed, till.lapses(order_id, LapsedBecause.DEADLINE)).because is LapsedBecause.DEADLINE


def test_reservations_of_a_closed_group_lapse_before_their_time() -> None:
    """Promise 3: a group called off keeps nobody's money and no stock."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.does(CancelGroup(group_id=GROUP, merchant_id=MERCHANT))
    assert (till.group().awaiting, till.stock_left()) == (1, 9)
    lapsed = only(ReservationLapsed, till.lapses(order_id, LapsedBecause.DEADLINE))
    assert lapsed.because is LapsedBecause.GROUP_CLOSED
    assert (till.group().awaiting, till.stock_left()) == (0, 10)


def test_awaited_places_do_not_save_a_group() -> None:
    """Promise 3: only who has paid counts at the deadline."""
    till = a_paid_group(ANN)
    till.reserves(BEN)
    till.now += LIFETIME
    assert names(till.does(CloseGroup(group_id=GROUP))) == ["GroupFailed"]


def test_a_leader_who_does_not_pay_takes_the_group_with_him() -> None:
    """A team group in which nobody is left is over."""
    till = Till()
    till.sells()
    opened = till.does(opening(ANN))
    assert names(opened) == ["GroupOpened", "PlaceReserved"]
    assert only(GroupOpened, opened).leader_id == ANN
    events = till.lapses(order_of(ANN))
    assert names(events) == ["ReservationLapsed", "GroupCancelled"]
    assert only(GroupCancelled, events).closed_by is ClosedBy.EVERYONE_LEFT
    assert till.stock_left() == 10


def test_who_still_pays_keeps_the_group_open() -> None:
    """Neither the leader's lapse nor a participant's leaving ends a group that somebody else is about to be in."""
    till = Till()
    till.sells()
    till.opens(ANN)
    till.reserves(BEN)
    assert names(till.lapses(order_of(ANN))) == ["ReservationLapsed"]
    till.pays(order_of(BEN))
    till.reserves(CAT)
    assert names(till.does(LeaveGroup(group_id=GROUP, shopper_id=BEN))) == ["ParticipantLeft"]
    assert till.group().is_open
    assert names(till.lapses(order_of(CAT))) == ["ReservationLapsed", "GroupCancelled"]


def test_a_crowd_outlives_its_last_reservation() -> None:
    """A crowd's group is the deal's own: it stays open for others."""
    till = Till()
    till.sells(grouping=Grouping.CROWD)
    till.reserves(ANN)
    assert names(till.lapses(order_of(ANN))) == ["ReservationLapsed"]
    assert till.group().is_open


def test_leaving_while_awaiting_gives_the_place_up() -> None:
    """Who has not paid yet can go at any time, also when the group has tipped."""
    till = a_paid_group(ANN, BEN)
    order_id = till.reserves(CAT)
    events = till.does(LeaveGroup(group_id=GROUP, shopper_id=CAT))
    assert only(ReservationLapsed, events).because is LapsedBecause.LEFT
    assert till.does(LeaveGroup(group_id=GROUP, shopper_id=CAT)) == ()
    assert till.payment(order_id).settlement is not None
    assert till.group().awaiting == 0


def test_joining_after_a_lapse_is_a_new_order() -> None:
    """A declined card is no reason to stay out; money that comes for the old order does not count for the new one."""
    till = a_paid_group(ANN)
    old, new = till.reserves(BEN), order_of(BEN, 2)
    till.lapses(old)
    till.does(joining(BEN, order_id=new))
    assert names(till.pays(old)) == ["PaymentCameLate"]
    assert till.group().participants == 1
    till.pays(new)
    assert till.group().participants == 2

"""A place that is reserved: taken for everybody else, counting for no price, free again when nobody pays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.groupbuy.commands import CancelGroup, CloseGroup, LapsePayment, LeaveGroup
from domain.groupbuy.deal import Grouping
from domain.groupbuy.errors import AddressRequired, GroupClosed, GroupFull, OrderNotFound, OutOfStock, UnitsLimitReached
from domain.groupbuy.events import (
    GroupCancelled,
    GroupOpened,
    GroupSucceeded,
    ParticipantJoined,
    PlaceReserved,
    ReservationLapsed,
)
from domain.groupbuy.group import ClosedBy
from domain.groupbuy.payment import LapsedBecause, PaymentStatus
from domain.groupbuy.world import Accepted
from tests.domain.catalogue import ANN, BEN, CAT, DAN, EVE, GROUP, INSTANT, LIFETIME, MERCHANT, NOON, RED, names, only
from tests.domain.money.till import (
    ADDRESS,
    PAY_WITHIN,
    Till,
    a_paid_group,
    confirming,
    joining,
    key_of,
    opening,
    order_of,
)


def test_a_reserved_place_counts_for_no_price() -> None:
    """A place and units are taken, the ceiling is to be held, but count, price and tier stay as they are."""
    till = a_paid_group(ANN)
    reserved = only(PlaceReserved, till.does(joining(BEN, quantity=2)))
    assert (reserved.hold_minor, reserved.currency, reserved.pay_by) == (3_600, "EUR", NOON + PAY_WITHIN)
    group = till.group()
    assert (group.participants, group.awaiting, group.seats_left) == (1, 1, 2)
    assert (group.unit_price, group.is_tipped, group.units) == (1_800, False, 1)
    assert till.stock_left() == 7


def test_an_approval_counts_once() -> None:
    """The reservation becomes a place, with the tier it reaches; heard again, nothing happens."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    events = till.pays(order_id)
    assert names(events) == ["ParticipantJoined", "TierReached"]
    assert only(ParticipantJoined, events).was_reserved
    assert till.pays(order_id) == ()
    group, payment = till.group(), till.payment(order_id)
    assert (group.participants, group.awaiting, group.is_tipped, till.stock_left()) == (2, 0, True, 8)
    assert (payment.status, payment.holds_units, payment.reference) == (PaymentStatus.HELD, False, "ref-1")


def test_the_last_place_is_taken_while_its_payment_is_awaited() -> None:
    """Promise 1: nobody can be promised a place that another one is paying for; paid, it closes the group."""
    till = a_paid_group(ANN, BEN, CAT)
    order_id = till.reserves(DAN)
    till.refuses(joining(EVE), GroupFull)
    assert till.group().seats_left == 0
    assert till.group().is_open
    succeeded = only(GroupSucceeded, till.pays(order_id))
    assert (succeeded.closed_by, succeeded.participants, succeeded.unit_price) == (ClosedBy.FULL, 4, 1_500)


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


def test_nobody_can_pay_longer_than_the_group_runs() -> None:
    """Promise 5: a reservation made shortly before the deadline ends with it."""
    till = a_paid_group(ANN)
    till.now += LIFETIME - timedelta(seconds=5)
    assert only(PlaceReserved, till.does(joining(BEN))).pay_by == till.group().expires_at


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


def test_joining_again_while_awaiting_is_the_same_place() -> None:
    """Promise 6: a retry takes no second place, whatever it says of quantity; its answer has the payment awaited."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    again = joining(BEN, order_id=order_of(BEN, 2), quantity=3)
    outcome = till.world.tell(again, till.now)
    assert isinstance(outcome, Accepted)
    assert outcome.events == ()
    assert (till.group().awaiting, till.stock_left()) == (1, 8)
    assert outcome.state.awaited == till.payment(order_id)


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


def test_reserved_units_count_for_the_limit() -> None:
    """Promise 1: units per shopper are counted over places, reservations and purchases alone."""
    till = Till()
    till.sells(units_per_shopper_max=3)
    till.opens(ANN, quantity=2)
    till.buys(ANN)
    till.refuses(opening(ANN, group_id=order_of(ANN), order_id=order_of(ANN, 2)), UnitsLimitReached)
    till.pays(order_of(ANN))
    till.refuses(opening(ANN, group_id=order_of(ANN), order_id=order_of(ANN, 2)), UnitsLimitReached)
    till.lapses(order_of(ANN, 7))
    assert till.does(opening(ANN, group_id=order_of(ANN), order_id=order_of(ANN, 2)))


def test_reserved_units_are_nobody_elses() -> None:
    """Promise 1: stock is kept for who is paying."""
    till = Till()
    till.sells(variants=(replace(RED, stock=2),))
    till.opens(ANN, quantity=2)
    till.refuses(joining(BEN), OutOfStock)


def test_goods_to_ship_need_an_address_and_digital_ones_keep_none() -> None:
    """What nothing is sent to is not kept."""
    till = Till()
    till.sells(needs_shipping=True)
    till.refuses(opening(ANN, address=None), AddressRequired)
    till.opens(ANN)
    assert till.payment(order_of(ANN)).address == ADDRESS
    digital = Till()
    digital.sells()
    digital.opens(ANN)
    assert digital.payment(order_of(ANN)).address is None


def test_a_group_past_its_deadline_reserves_nothing() -> None:
    """Promise 5: also while no sweep has closed it yet."""
    till = a_paid_group(ANN)
    till.now += LIFETIME
    till.refuses(joining(BEN), GroupClosed)


@pytest.mark.parametrize("kind", ["confirm", "lapse"])
def test_an_order_nobody_made_is_not_found(kind: str) -> None:
    """A webhook about somebody else's order changes nothing."""
    till = a_paid_group(ANN)
    payment = replace(till.payment(order_of(ANN)), order_id=order_of(EVE))
    lapse = LapsePayment(**key_of(payment), because=LapsedBecause.DECLINED)
    till.refuses(confirming(payment) if kind == "confirm" else lapse, OrderNotFound)

"""A place that is reserved: taken for everybody else, counting for no price, free again when nobody pays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.groupbuy.commands import LapsePayment
from domain.groupbuy.errors import AddressRequired, GroupClosed, GroupFull, OrderNotFound, OutOfStock, UnitsLimitReached
from domain.groupbuy.events import (
    GroupSucceeded,
    ParticipantJoined,
    PlaceReserved,
)
from domain.groupbuy.group import ClosedBy
from domain.groupbuy.payment import LapsedBecause, PaymentStatus
from domain.groupbuy.world import Accepted
from tests.domain.catalogue import (
    ANN,
    BEN,
    CAT,
    DAN,
    EVE,
    LIFETIME,
    NOON,
    RED,
    names,
    only,
    schedule,
)
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


def test_the_ceiling_is_held_whatever_the_price_is_now() -> None:
    """Promise 3: who joins a group that is cheap by now is shown the ceiling, and so much is held."""
    till = a_paid_group(ANN, BEN, schedule=schedule(2_000, (2, 1_800), (3, 1_500)))
    till.joins(CAT)
    assert till.group().unit_price == 1_500
    assert only(PlaceReserved, till.does(joining(DAN))).hold_minor == 1_800


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


def test_nobody_can_pay_longer_than_the_group_runs() -> None:
    """Promise 5: a reservation made shortly before the deadline ends with it."""
    till = a_paid_group(ANN)
    till.now += LIFETIME - timedelta(seconds=5)
    assert only(PlaceReserved, till.does(joining(BEN))).pay_by == till.group().expires_at


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

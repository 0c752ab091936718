"""Money that comes when its place is gone, and what the gateway made of a settlement."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.groupbuy.commands import CancelGroup, CloseGroup, LeaveGroup
from domain.groupbuy.events import (
    PaymentCameLate,
    PaymentSettled,
    ReservationLapsed,
    UnitsReturned,
)
from domain.groupbuy.payment import LapsedBecause, PaymentStatus, SettlementStatus
from domain.groupbuy.postings import movements_of
from domain.pricing.ledger import Account, Cause, Movement
from tests.domain.catalogue import ANN, BEN, CAT, GROUP, INSTANT, LIFETIME, MERCHANT, names, only
from tests.domain.money.till import PAY_WITHIN, Till, a_paid_group, order_of, recording

HELD = Movement(Cause.HOLD, Account.GATEWAY_CLEARING, Account.SHOPPER_HOLD, 1_800)
RELEASED = Movement(Cause.SETTLEMENT, Account.SHOPPER_HOLD, Account.GATEWAY_CLEARING, 1_800)


def _after_lapse(till: Till) -> None:
    till.lapses(order_of(BEN))


def _after_deadline(till: Till) -> None:
    till.now += LIFETIME


def _after_failure(till: Till) -> None:
    till.now += LIFETIME
    till.does(CloseGroup(group_id=GROUP))


def _after_cancelling(till: Till) -> None:
    till.does(CancelGroup(group_id=GROUP, merchant_id=MERCHANT))


@pytest.mark.parametrize("too_late", [_after_lapse, _after_deadline, _after_failure, _after_cancelling])
def test_money_that_comes_too_late_goes_back(too_late: object) -> None:
    """Promise 8: after the lapse, the deadline, the failure or the cancelling it is booked, told once, and released."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    assert callable(too_late)
    too_late(till)
    events = till.pays(order_id)
    late = only(PaymentCameLate, events)
    assert movements_of(late) == (HELD,)
    assert till.pays(order_id) == ()
    payment = till.payment(order_id)
    assert (payment.status, payment.late_at, payment.holds_units) == (PaymentStatus.LAPSED, till.now, False)
    assert (till.group().participants, till.group().awaiting) == (1, 0)
    assert movements_of(only(PaymentSettled, till.settles(order_id))) == (RELEASED,)
    assert till.settles(order_id) == ()


def test_a_confirmation_after_the_deadline_frees_the_place_itself() -> None:
    """No sweep is needed: the lapse is told with the late money, for its own reason, and the units are free."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.now += LIFETIME
    events = till.pays(order_id)
    assert names(events) == ["ReservationLapsed", "PaymentCameLate"]
    assert only(ReservationLapsed, events).because is LapsedBecause.TOO_LATE
    assert till.stock_left() == 9


def test_a_reservation_counts_until_somebody_takes_it_away() -> None:
    """Money that comes after `pay_by` but before the sweep finds its place still there: it counts."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.now += PAY_WITHIN + timedelta(seconds=1)
    assert "ParticipantJoined" in names(till.pays(order_id))


def test_a_lapse_without_money_moves_none() -> None:
    """What was never held is released at the gateway, and is no movement in the ledger."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.lapses(order_id)
    settled = only(PaymentSettled, till.settles(order_id))
    assert (settled.captured_minor, settled.released_minor, movements_of(settled)) == (0, 0, ())


def test_late_money_after_the_release_is_released_too() -> None:
    """Promise 8: a settlement that was done is to be done anew when money comes after all."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.lapses(order_id)
    till.settles(order_id)
    assert names(till.pays(order_id)) == ["PaymentCameLate"]
    settlement = till.payment(order_id).settlement
    assert settlement is not None
    assert settlement.status is SettlementStatus.PENDING
    assert movements_of(only(PaymentSettled, till.settles(order_id))) == (RELEASED,)


def test_who_has_not_seen_the_late_money_has_not_released_it() -> None:
    """A worker that looked before the money came must not close the settlement that is to give it back."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.lapses(order_id)
    as_of = till.now
    till.now += INSTANT
    till.pays(order_id)
    assert till.settles(order_id, as_of=as_of) == ()
    assert names(till.settles(order_id, as_of=till.now)) == ["PaymentSettled"]


def test_everyone_pays_the_final_price_and_gets_the_rest_back() -> None:
    """Promise 3: 1500 of the 1800 that were held, and the platform's 2.5 % of them."""
    till = a_paid_group(ANN, BEN, CAT, UUID(int=0xF4))
    till.decides(order_of(ANN))
    settled = only(PaymentSettled, till.settles(order_of(ANN)))
    assert (settled.captured_minor, settled.released_minor, settled.fee_minor) == (1_500, 300, 37)
    assert till.settles(order_of(ANN)) == ()
    order, group = till.order(order_of(ANN)), till.group()
    assert (order.captured_minor, order.unit_price, order.kept_minor) == (1_500, 1_500, 1_500)
    assert (group.settled, group.captured_minor) == (1, 1_500)
    assert till.payment(order_of(ANN)).status is PaymentStatus.CAPTURED


def test_a_refused_capture_costs_one_place_and_reprices_nobody() -> None:
    """Promise 3: his units go back to stock and his money is not taken; the others pay what they were told."""
    till = a_paid_group(ANN, BEN, CAT, UUID(int=0xF4))
    till.decides(order_of(ANN), order_of(BEN))
    events = till.settles(order_of(BEN), refused_because="card_declined")
    settled = only(PaymentSettled, events)
    assert (settled.captured_minor, settled.released_minor, settled.refused_because) == (0, 1_800, "card_declined")
    assert only(UnitsReturned, events).quantity == 1
    assert till.settles(order_of(BEN)) == ()
    assert till.settles(order_of(BEN), refused_because="card_declined") == ()
    group = till.group()
    assert (group.final_unit_price, group.participants, group.settled, till.stock_left()) == (1_500, 4, 1, 7)
    assert till.payment(order_of(BEN)).status is PaymentStatus.RELEASED
    assert order_of(BEN) not in till.world.orders
    assert only(PaymentSettled, till.settles(order_of(ANN))).captured_minor == 1_500


def test_a_refused_release_stays_to_be_done() -> None:
    """What the gateway would not give back is not booked as given back."""
    till = a_paid_group(ANN)
    order_id = till.reserves(BEN)
    till.lapses(order_id)
    till.pays(order_id)
    before = till.payment(order_id)
    assert till.settles(order_id, refused_because="account_closed") == ()
    assert till.payment(order_id) == before
    assert names(till.settles(order_id)) == ["PaymentSettled"]


def test_what_is_not_decided_cannot_be_recorded() -> None:
    """A worker that is ahead of the closing books nothing."""
    till = a_paid_group(ANN)
    assert till.settles(order_of(ANN)) == ()
    assert till.does(recording(till.payment(order_of(ANN)), refused_because="no")) == ()


def test_progress_counts_participants_only() -> None:
    """Who lapsed, or left, is none of those a closed group settles."""
    till = a_paid_group(ANN)
    late, declined = till.reserves(BEN), till.reserves(CAT)
    till.lapses(declined)
    till.does(CancelGroup(group_id=GROUP, merchant_id=MERCHANT))
    till.pays(late)
    till.decides(order_of(ANN))
    for order_id in (late, declined):
        till.settles(order_id)
    assert till.group().settled == 0
    till.settles(order_of(ANN))
    assert till.group().settled == till.group().participants == 1


def test_a_participant_who_leaves_gets_everything_back() -> None:
    """The hold is released by a settlement of its own; coming back is a new order."""
    till = a_paid_group(ANN)
    till.does(LeaveGroup(group_id=GROUP, shopper_id=ANN))
    payment = till.payment(order_of(ANN))
    assert payment.settlement is not None
    assert (payment.left_at, payment.settlement.capture_minor) == (till.now, 0)

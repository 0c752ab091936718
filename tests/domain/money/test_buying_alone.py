"""Buying alone: the solo price, no group, an order as any other."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from domain.errors import InvalidInput
from domain.groupbuy.commands import EndDeal, PauseDeal
from domain.groupbuy.errors import (
    AddressRequired,
    DealNotFound,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    DealTakesNoPayments,
    GuestsMayNotBuy,
    OutOfStock,
    UnitsLimitReached,
    VariantNotFound,
    VariantRequired,
)
from domain.groupbuy.events import BoughtAlone, PaymentSettled, PlaceReserved
from domain.groupbuy.payment import PaymentStatus
from domain.groupbuy.postings import movements_of
from domain.pricing.ledger import Account
from tests.domain.catalogue import (
    ANN,
    BEN,
    BLUE,
    DEAL,
    ELSEWHERE,
    MERCHANT,
    NOON,
    OTHER_DEAL,
    RED,
    Scene,
    names,
    only,
    wrong_fields,
)
from tests.domain.money.till import PAY_WITHIN, Till, alone, order_of

SOLO = order_of(ANN, 7)


def _selling(**changes: object) -> Till:
    till = Till()
    till.sells(**cast("dict[str, Any]", changes))
    return till


def test_alone_one_pays_the_solo_price_at_once() -> None:
    """Two units at 2000 each: held, captured and an order, without anybody else."""
    till = _selling()
    reserved = only(PlaceReserved, till.does(alone(quantity=2)))
    assert (reserved.group_id, reserved.hold_minor, reserved.pay_by) == (None, 4_000, NOON + PAY_WITHIN)
    assert till.stock_left() == 8
    bought = only(BoughtAlone, till.pays(SOLO))
    assert (bought.unit_price, bought.hold_minor) == (2_000, 4_000)
    settled = only(PaymentSettled, till.settles(SOLO))
    assert (settled.captured_minor, settled.released_minor, settled.fee_minor, settled.reward_minor) == (
        4_000,
        0,
        100,
        0,
    )
    assert [movement.to_account for movement in movements_of(settled)] == [
        Account.MERCHANT_PAYABLE,
        Account.PLATFORM_FEE,
    ]
    order = till.order(SOLO)
    assert (order.group_id, order.unit_price, order.captured_minor) == (None, 2_000, 4_000)
    assert till.payment(SOLO).holds_units


def test_asked_again_it_is_the_same_purchase() -> None:
    """Promise 6: before and after it is paid."""
    till = _selling()
    till.buys(ANN)
    assert till.does(alone()) == ()
    till.pays(SOLO)
    assert till.pays(SOLO) == ()
    assert till.does(alone()) == ()
    assert till.stock_left() == 9


def test_a_purchase_that_lapses_gives_its_units_back() -> None:
    """Declined, or not paid in time; what comes late is released."""
    till = _selling()
    till.buys(ANN)
    assert names(till.lapses(SOLO)) == ["ReservationLapsed"]
    assert till.stock_left() == 10
    assert names(till.pays(SOLO)) == ["PaymentCameLate"]
    assert till.payment(SOLO).status is PaymentStatus.LAPSED


def test_a_refused_capture_ends_the_purchase() -> None:
    """No order, units back to stock, nothing taken."""
    till = _selling()
    till.buys(ANN)
    till.pays(SOLO)
    events = till.settles(SOLO, refused_because="hold_expired")
    assert names(events) == ["PaymentSettled", "UnitsReturned"]
    assert (till.stock_left(), SOLO in till.world.orders, till.payment(SOLO).holds_units) == (10, False, False)


def test_a_deal_that_is_not_live_sells_to_nobody() -> None:
    """Not before it starts, not while it is paused, not when it has ended, and no draft."""
    till = _selling(starts_at=NOON + timedelta(hours=1))
    till.refuses(alone(), DealNotStarted)
    till.now += timedelta(hours=1)
    till.does(PauseDeal(deal_id=DEAL, merchant_id=MERCHANT))
    till.refuses(alone(), DealPausedNow)
    till.does(EndDeal(deal_id=DEAL, merchant_id=MERCHANT))
    till.refuses(alone(), DealOver)
    till.draft(OTHER_DEAL)
    till.refuses(alone(deal_id=OTHER_DEAL), DealNotFound)
    till.refuses(alone(deal_id=ELSEWHERE), DealNotFound)


def test_without_payments_there_is_nothing_to_buy_alone() -> None:
    """A deal whose money goes elsewhere."""
    scene = Scene()
    scene.live()
    scene.refuses(alone(), DealTakesNoPayments)


def test_bounds_hold_alone_as_in_groups() -> None:
    """Promise 1: stock, units per shopper, variants and quantities."""
    till = _selling(variants=(replace(RED, stock=3), BLUE), units_per_shopper_max=2)
    till.refuses(alone(), VariantRequired)
    till.refuses(alone(variant_id=ELSEWHERE), VariantNotFound)
    till.refuses(alone(variant_id=BLUE.id, quantity=2), OutOfStock)
    till.refuses(alone(variant_id=RED.id, quantity=3), UnitsLimitReached)
    till.buys(ANN, variant_id=RED.id, quantity=2)
    till.refuses(alone(order_id=order_of(ANN), variant_id=BLUE.id), UnitsLimitReached)
    till.refuses(alone(BEN, variant_id=RED.id, quantity=2), OutOfStock)


def test_a_guest_buys_alone_where_guests_may() -> None:
    """A deal for shoppers who are known asks whoever buys alone to sign in, too."""
    till = _selling(guests_may_buy=False)
    till.refuses(replace(alone(), is_guest=True), GuestsMayNotBuy)
    till.buys(ANN)
    assert _selling().does(replace(alone(), is_guest=True))


@pytest.mark.parametrize("quantity", [0, -1, 1_001, 10**12])
def test_a_quantity_is_from_one_to_a_thousand(quantity: int) -> None:
    """Nothing, less than nothing, and more than one shopper may take of anything."""
    error = _selling().refuses(alone(quantity=quantity), InvalidInput)
    assert wrong_fields(error) == ["quantity"]


def test_goods_to_ship_need_an_address() -> None:
    """Digital ones keep none."""
    till = _selling(needs_shipping=True)
    till.refuses(alone(address=None), AddressRequired)
    till.buys(ANN)
    assert till.payment(SOLO).address is not None
    digital = _selling()
    digital.buys(ANN)
    assert digital.payment(SOLO).address is None

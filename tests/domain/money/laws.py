"""What holds after every step, whoever has crashed and whatever the gateway did."""

from collections import Counter
from uuid import UUID

from domain.groupbuy.group import Group
from domain.groupbuy.order import Order, OrderStatus
from domain.groupbuy.payment import Payment, PaymentStatus, SettlementStatus
from domain.pricing.ledger import Account
from domain.pricing.shares import fee_on
from tests.domain.money.shop import Shop

OVER = {PaymentStatus.CAPTURED, PaymentStatus.RELEASED}


def all_hold(shop: Shop) -> None:
    """Every law that needs no rest to be true."""
    shop.book.check()
    for payment in shop.payments():
        _money_is_as_decided(shop, payment)
    for order in shop.world.orders.values():
        _an_order_is_paid(shop, order)
    for group in shop.world.groups.values():
        _a_group_counts_right(shop, group)
        _one_price_for_all(shop, group)
    _nothing_is_oversold(shop)


def _money_is_as_decided(shop: Shop, payment: Payment) -> None:
    """Nobody is charged above what was shown, and no money stays where the decision about it is carried out."""
    assert payment.hold_minor == shop.shown[payment.order_id]
    account = shop.bank.accounts.get(payment.order_id)
    hold_booked = shop.book.of_order[(payment.order_id, Account.SHOPPER_HOLD)]
    if payment.status is PaymentStatus.AWAITING:
        assert payment.settlement is None
        assert hold_booked == 0
    if payment.status in OVER:
        assert payment.settlement is not None
        assert payment.settlement.status in {SettlementStatus.DONE, SettlementStatus.FAILED}
        assert hold_booked == 0
    if account is None:
        assert payment.status in {PaymentStatus.AWAITING, PaymentStatus.LAPSED}
        return
    assert 0 <= account.kept_minor <= payment.hold_minor
    assert not (account.held_minor and account.captured_minor)
    if payment.status in OVER or (payment.late_at is not None and _is_done(payment)):
        assert account.held_minor == 0
        if payment.status is not PaymentStatus.CAPTURED:
            assert account.kept_minor == 0


def _is_done(payment: Payment) -> bool:
    return payment.settlement is not None and payment.settlement.status is SettlementStatus.DONE


def _an_order_is_paid(shop: Shop, order: Order) -> None:
    """What was captured is at the gateway, and only what was decided to go back has gone back."""
    account, payment = shop.bank.accounts[order.id], shop.payment(order.id)
    assert payment.status is PaymentStatus.CAPTURED
    assert order.captured_minor == order.unit_price * order.quantity <= payment.hold_minor
    assert 0 <= order.refunded_minor <= order.captured_minor
    made_minor = _made_minor(shop, order.id)
    assert order.kept_minor <= account.kept_minor <= order.captured_minor - made_minor
    assert shop.book.of_order[(order.id, Account.REFUNDS)] == order.refunded_minor - made_minor
    assert shop.book.of_order[(order.id, Account.PLATFORM_FEE)] == fee_on(order.kept_minor, payment.terms.fee_bps)
    if order.group_id is not None:
        assert order.unit_price == shop.final_prices[order.group_id]
    if payment.address is None:
        assert order.status not in {OrderStatus.TO_SHIP, OrderStatus.SHIPPED}


def _made_minor(shop: Shop, order_id: UUID) -> int:
    return sum(
        refund.amount_minor for refund in shop.world.refunds.values() if refund.order_id == order_id and refund.is_made
    )


def _a_group_counts_right(shop: Shop, group: Group) -> None:
    """Places and reservations fit the group, and its counters are what they add up to."""
    payments = [payment for payment in shop.payments() if payment.group_id == group.id]
    orders = [order for order in shop.world.orders.values() if order.group_id == group.id]
    places = shop.places(group)
    assert {place.shopper_id for place in places} == shop.members.get(group.id, set())
    assert group.participants == len(places)
    assert group.awaiting == sum(payment.status is PaymentStatus.AWAITING for payment in payments)
    assert group.participants + group.awaiting <= group.terms.group_size_max
    assert group.units == sum(place.quantity for place in places)
    assert group.captured_minor == sum(order.captured_minor for order in orders)
    assert group.refunded_minor == sum(order.refunded_minor for order in orders)
    in_it = [payment for payment in payments if payment.left_at is None and payment.held_at is not None]
    assert group.settled == sum(payment.status in OVER for payment in in_it) <= group.participants
    assert group.version == shop.versions[group.id]


def _one_price_for_all(shop: Shop, group: Group) -> None:
    """A price never rises, and after the closing it is the tier's of those who were in, whoever drops out."""
    before = shop.prices_before.get(group.id)
    assert before is None or group.unit_price <= before
    shop.prices_before[group.id] = group.unit_price
    assert group.final_unit_price == shop.final_prices.get(group.id)
    for place in shop.places(group):
        assert place.hold_minor == group.ceiling_price * place.quantity
        settlement = shop.payment(place.order_id).settlement
        if settlement is not None:
            assert settlement.capture_minor == (group.final_unit_price or 0) * place.quantity


def _nothing_is_oversold(shop: Shop) -> None:
    """Stock, places and reservations are what there was at the beginning; no shopper has more than allowed."""
    taken: Counter[tuple[UUID, UUID]] = Counter()
    by_shopper: Counter[tuple[UUID, UUID]] = Counter()
    for group in shop.world.groups.values():
        if group.units_count_for_limit:
            for place in shop.places(group):
                if place.dropped_at is None:
                    taken[(group.deal_id, place.variant_id)] += place.quantity
                    by_shopper[(group.deal_id, place.shopper_id)] += place.quantity
    for payment in shop.payments():
        assert payment.holds_units == _keeps_units(shop, payment)
        if payment.holds_units:
            taken[(payment.deal_id, payment.variant_id)] += payment.quantity
            by_shopper[(payment.deal_id, payment.shopper_id)] += payment.quantity
    for deal in shop.world.deals.values():
        for variant in deal.variants:
            left = shop.world.stock_left[deal.id][variant.id]
            assert left >= 0
            assert left + taken[(deal.id, variant.id)] == variant.stock
    for (deal_id, _), units in by_shopper.items():
        units_max = shop.world.deals[deal_id].offer.units_per_shopper_max
        assert units_max is None or units <= units_max


def _keeps_units(shop: Shop, payment: Payment) -> bool:
    """Reservations do, and purchases alone until they come to nothing; places count for themselves."""
    if payment.status is PaymentStatus.AWAITING:
        return True
    order = shop.world.orders.get(payment.order_id)
    is_cancelled = order is not None and order.status is OrderStatus.CANCELLED
    alive = payment.status in {PaymentStatus.HELD, PaymentStatus.CAPTURED} and not is_cancelled
    return payment.group_id is None and alive

"""Quiet at last: the gateway behaves, every process has run to its end, nothing is left to do; all is as promised."""

from collections.abc import Iterable
from datetime import timedelta

from domain.groupbuy.commands import CloseGroup
from domain.groupbuy.group import Group, GroupStatus, Place
from domain.groupbuy.order import OrderStatus
from domain.groupbuy.payment import Payment, PaymentStatus, SettlementStatus
from domain.pricing.ledger import Account
from domain.pricing.shares import fee_on, full_reward, reward_on
from tests.domain.money.processes import Process, deciding, executing, looking, refunding, sweeping
from tests.domain.money.shop import Shop, is_awaiting, is_pending

ROUNDS_MAX = 12


def come_to_rest(shop: Shop, running: Iterable[Process]) -> None:
    """Let everything run out, sweep after sweep, until nothing changes any more."""
    shop.bank.fates.clear()
    for process in running:
        _finish(process)
    for payment in shop.payments():
        if payment.settlement is not None and payment.settlement.status is SettlementStatus.DEAD:
            shop.turn(payment, SettlementStatus.PENDING)
    for _ in range(ROUNDS_MAX):
        before = repr(shop.world)
        _sweep(shop)
        if repr(shop.world) == before and not shop.bank.webhooks:
            return
    message = "the shop does not come to rest"
    raise AssertionError(message)


def everybody_has_paid_what_is_due(shop: Shop) -> None:
    """Participants of succeeded groups the one price, who bought alone the solo price, everybody else nothing."""
    due = _due(shop)
    for order_id, account in shop.bank.accounts.items():
        assert account.held_minor == 0
        assert not account.is_pending
        assert account.kept_minor == due.pop(order_id, 0), account
    assert not any(due.values()), due


def books_agree(shop: Shop) -> None:
    """Nothing is held or on its way; what the ledger says of the gateway is what the gateway says."""
    for payment in shop.payments():
        assert not is_awaiting(payment)
        assert not is_pending(payment)
        assert payment.status in {PaymentStatus.CAPTURED, PaymentStatus.RELEASED, PaymentStatus.LAPSED}
        account = shop.bank.accounts.get(payment.order_id)
        kept_minor = account.kept_minor if account else 0
        assert shop.book.of_order[(payment.order_id, Account.GATEWAY_CLEARING)] == -kept_minor
        assert shop.book.of_order[(payment.order_id, Account.SHOPPER_HOLD)] == 0
        assert shop.book.of_order[(payment.order_id, Account.REFUNDS)] == 0
    assert all(refund.is_made for refund in shop.world.refunds.values())
    for group in shop.world.groups.values():
        assert not group.is_open
        assert group.settled == group.participants
        kept_minor = group.captured_minor - group.refunded_minor
        assert shop.book.of_group[(group.id, Account.LEADER_REWARD)] == _reward(shop, group, kept_minor)
        if not kept_minor:
            assert not any(amount for (group_id, _), amount in shop.book.of_group.items() if group_id == group.id)


def _reward(shop: Shop, group: Group, kept_minor: int) -> int:
    """Only a leader who has a place, and has paid for it, is rewarded."""
    payment = group.terms.payment
    assert payment is not None
    if group.leader_id is None:
        return 0
    place = shop.world.places.get((group.deal_id, group.leader_id), {}).get(group.id)
    if place is None or _payment_of(shop, place.order_id).status is not PaymentStatus.CAPTURED:
        return 0
    full_minor = full_reward(group.terms.reward, group.asked_minor, group.unit_price, payment.fee_bps)
    return reward_on(kept_minor, group.asked_minor, full_minor)


def _payment_of(shop: Shop, order_id: object) -> Payment:
    return next(payment for payment in shop.payments() if payment.order_id == order_id)


def _due(shop: Shop) -> dict[object, int]:
    due: dict[object, int] = {}
    for group in shop.world.groups.values():
        for place in shop.places(group):
            if group.status is GroupStatus.SUCCEEDED and not _dropped(shop, place):
                due[place.order_id] = shop.final_prices[group.id] * place.quantity
    for payment in shop.payments():
        if payment.group_id is None and payment.status is PaymentStatus.CAPTURED:
            due[payment.order_id] = shop.shown[payment.order_id]
    for refund in shop.world.refunds.values():
        due[refund.order_id] = due.get(refund.order_id, 0) - refund.amount_minor
    return due


def _dropped(shop: Shop, place: Place) -> bool:
    """Whether a place was lost: only because the gateway would not give its money, or its order was called off."""
    order, account = shop.world.orders.get(place.order_id), shop.bank.accounts[place.order_id]
    is_cancelled = order is not None and order.status is OrderStatus.CANCELLED
    is_dropped = place.dropped_at is not None
    assert is_dropped == (order is None or is_cancelled)
    assert not is_dropped or is_cancelled or account.hold_was_lost or account.capture_was_declined
    return is_dropped and not is_cancelled


def _sweep(shop: Shop) -> None:
    deadlines = [group.expires_at for group in shop.world.groups.values() if group.is_open]
    deadlines += [payment.pay_by for payment in shop.payments() if is_awaiting(payment)]
    shop.wait(max(max(deadlines, default=shop.now) - shop.now, timedelta(0)))
    webhooks, shop.bank.webhooks = shop.bank.webhooks, []
    for order_id in webhooks:
        _finish(looking(shop, order_id))
    for group in list(shop.world.groups.values()):
        shop.tell(CloseGroup(group_id=group.id))
        _finish(deciding(shop, group.id))
    for payment in shop.payments():
        _finish(sweeping(shop, payment.order_id))
        _finish(executing(shop, payment.order_id))
    for refund_id in sorted(shop.world.refunds):
        _finish(refunding(shop, refund_id))


def _finish(process: Process) -> None:
    for _ in process:
        pass


def parts_are_the_whole(shop: Shop) -> None:
    """Of every minor unit that was kept, platform, leader and merchant have exactly one."""
    for group_id in [None, *shop.world.groups]:
        orders = [order for order in shop.world.orders.values() if order.group_id == group_id]
        kept_minor = sum(order.kept_minor for order in orders)
        fee_minor = sum(fee_on(order.kept_minor, order.fee_bps) for order in orders)
        parts = {account: shop.book.of_group[(group_id, account)] for account in Account}
        assert parts[Account.PLATFORM_FEE] == fee_minor
        assert sum(parts[account] for account in _KEEPERS) == kept_minor
        assert parts[Account.GATEWAY_CLEARING] == -kept_minor


_KEEPERS = (Account.PLATFORM_FEE, Account.LEADER_REWARD, Account.MERCHANT_PAYABLE)

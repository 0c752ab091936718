"""Refunds: never more than was paid, once for an id, each part out of the right pocket, and the leader's with it."""

from uuid import UUID

import pytest

from domain.errors import DomainError, InvalidInput
from domain.groupbuy.commands import RecordRefund, RefundOrder
from domain.groupbuy.errors import OrderNotFound, OrderNotShipped, OrderOver, RefundTooLarge, WrongCurrency
from domain.groupbuy.events import OrderRefunded, RefundMade
from domain.groupbuy.order import OrderStatus
from domain.groupbuy.postings import movements_of
from domain.pricing.ledger import Account, Cause, Movement
from domain.pricing.shares import Reward, RewardKind
from tests.domain.catalogue import ANN, BEN, DEAL, GROUP, MERCHANT, OTHER_MERCHANT, names, only, wrong_fields
from tests.domain.money.orders import REFUND, cancelling, delivering, refunding, shipping
from tests.domain.money.till import Till, a_settled_group, alone, order_of

ORDER = order_of(ANN)
OTHER_REFUND = UUID(int=0xB2)


def _shipped() -> Till:
    till = a_settled_group(ANN, BEN)
    till.does(shipping(ANN))
    return till


def test_a_refund_takes_each_part_from_who_got_it() -> None:
    """Of 1000 the platform gives 25 back, the leader his tenth, the merchant the rest."""
    till = a_settled_group(ANN, BEN, reward=Reward(RewardKind.SHARE, 1_000))
    refunded = only(OrderRefunded, till.does(refunding(ANN, amount_minor=1_000)))
    assert movements_of(refunded) == (
        Movement(Cause.REFUND, Account.PLATFORM_FEE, Account.REFUNDS, 25),
        Movement(Cause.REFUND, Account.LEADER_REWARD, Account.REFUNDS, 100),
        Movement(Cause.REFUND, Account.MERCHANT_PAYABLE, Account.REFUNDS, 875),
    )
    assert (till.order(ORDER).refunded_minor, till.group().refunded_minor) == (1_000, 1_000)
    assert not till.world.refunds[REFUND].is_made


def test_a_refund_is_booked_when_it_is_made_and_once() -> None:
    """The gateway's word ends it; heard again nothing happens."""
    till = a_settled_group(ANN, BEN)
    till.does(refunding(ANN, amount_minor=700))
    record = RecordRefund(deal_id=DEAL, group_id=GROUP, order_id=ORDER, refund_id=REFUND)
    made = only(RefundMade, till.does(record))
    assert movements_of(made) == (Movement(Cause.REFUND_MADE, Account.REFUNDS, Account.GATEWAY_CLEARING, 700),)
    assert till.does(record) == ()
    assert till.world.refunds[REFUND].is_made
    till.refuses(RecordRefund(deal_id=DEAL, group_id=GROUP, order_id=ORDER, refund_id=OTHER_REFUND), OrderNotFound)


def test_the_same_refund_again_is_one_refund() -> None:
    """A retry gives nothing more back, whatever amount it names, also when all is given back."""
    till = a_settled_group(ANN, BEN)
    till.does(refunding(ANN, amount_minor=700))
    assert till.does(refunding(ANN, amount_minor=700)) == ()
    assert till.does(refunding(ANN, amount_minor=900)) == ()
    till.does(refunding(ANN, refund_id=OTHER_REFUND))
    assert till.does(refunding(ANN, refund_id=OTHER_REFUND)) == ()
    assert till.order(ORDER).kept_minor == 0


def test_a_refund_id_belongs_to_one_refund() -> None:
    """Of another order, or for a cancelling, it is refused: it would undo what is known of the first."""
    till = a_settled_group(ANN, BEN)
    till.does(refunding(ANN, amount_minor=700))
    assert wrong_fields(till.refuses(refunding(BEN), InvalidInput)) == ["refund_id"]
    assert wrong_fields(till.refuses(cancelling(BEN), InvalidInput)) == ["refund_id"]
    assert wrong_fields(till.refuses(cancelling(ANN), InvalidInput)) == ["refund_id"]
    till.refuses(refunding(ANN, merchant_id=OTHER_MERCHANT), OrderNotFound)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (refunding(ANN, amount_minor=1_801), RefundTooLarge),
        (refunding(ANN, amount_minor=10**18), RefundTooLarge),
        (refunding(ANN, amount_minor=0), InvalidInput),
        (refunding(ANN, amount_minor=-1), InvalidInput),
        (refunding(ANN, currency="USD"), WrongCurrency),
        (refunding(ANN, merchant_id=OTHER_MERCHANT), OrderNotFound),
        (refunding(ANN, order_id=order_of(ANN, 9)), OrderNotFound),
    ],
)
def test_wrong_refunds_change_nothing(command: RefundOrder, refusal: type[DomainError]) -> None:
    """Too much, nothing, less than nothing, in another currency, of somebody else's order."""
    _shipped().refuses(command, refusal)


def test_refunds_together_never_exceed_what_was_paid() -> None:
    """1000 and 800 of 1800, then not one minor unit more."""
    till = _shipped()
    till.does(refunding(ANN, amount_minor=1_000, currency="EUR"))
    error = till.refuses(refunding(ANN, amount_minor=801, refund_id=OTHER_REFUND), RefundTooLarge)
    assert "8.00 EUR" in str(error)
    till.does(refunding(ANN, refund_id=OTHER_REFUND))
    for amount_minor in (None, 1):
        late = refunding(ANN, amount_minor=amount_minor, refund_id=UUID(int=0xB3))
        assert "refunded already" in str(till.refuses(late, RefundTooLarge))


def test_a_return_ends_the_order() -> None:
    """Goods that came back: once, only after they were sent; a rest can still be refunded."""
    till = a_settled_group(ANN, BEN)
    till.refuses(refunding(ANN, is_return=True), OrderNotShipped)
    till.does(shipping(ANN))
    till.does(delivering(ANN))
    assert only(OrderRefunded, till.does(refunding(ANN, is_return=True, amount_minor=1_500))).is_return
    assert till.order(ORDER).status is OrderStatus.RETURNED
    assert till.order(ORDER).returned_at == till.now
    till.refuses(refunding(ANN, is_return=True, refund_id=OTHER_REFUND), OrderOver)
    assert only(OrderRefunded, till.does(refunding(ANN, refund_id=OTHER_REFUND))).amount_minor == 300


def test_a_cancelled_order_is_not_returned() -> None:
    """It was never sent, and its money is back already."""
    till = a_settled_group(ANN, BEN)
    till.does(cancelling(ANN))
    till.refuses(refunding(ANN, is_return=True, refund_id=OTHER_REFUND), OrderOver)
    till.refuses(refunding(ANN, refund_id=OTHER_REFUND), RefundTooLarge)


@pytest.mark.parametrize(
    ("reward", "whole_minor"),
    [
        (Reward(RewardKind.FIXED, 333), 333),
        (Reward(RewardKind.SHARE, 1_111), 399),
        (Reward(RewardKind.FREE_UNIT), 1_800),
    ],
)
def test_the_leaders_reward_goes_back_in_proportion(reward: Reward, whole_minor: int) -> None:
    """It comes with every capture, shrinks with every refund, and is nothing when everything is given back."""
    till = a_settled_group(ANN, BEN, reward=reward)
    assert till.balance(Account.LEADER_REWARD) == whole_minor
    till.does(refunding(ANN))
    assert till.balance(Account.LEADER_REWARD) == whole_minor // 2
    till.does(refunding(BEN, amount_minor=1_799, refund_id=OTHER_REFUND))
    assert till.balance(Account.LEADER_REWARD) == whole_minor * 1 // 3_600
    till.does(refunding(BEN, refund_id=UUID(int=0xB3)))
    assert till.balance(Account.LEADER_REWARD) == 0


def test_a_purchase_alone_is_refunded_like_any_other() -> None:
    """No group, no reward: platform and merchant give back."""
    till = Till()
    till.sells(reward=Reward(RewardKind.FIXED, 100))
    till.does(alone())
    order_id = order_of(ANN, 7)
    till.pays(order_id)
    till.settles(order_id)
    refunded = only(OrderRefunded, till.does(refunding(ANN, order_id=order_id, group_id=None)))
    assert (refunded.amount_minor, refunded.fee_back_minor, refunded.reward_back_minor) == (2_000, 50, 0)
    record = RecordRefund(deal_id=DEAL, group_id=None, order_id=order_id, refund_id=REFUND)
    assert names(till.does(record)) == ["RefundMade"]
    assert till.order(order_id).merchant_id == MERCHANT

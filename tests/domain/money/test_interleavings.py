"""Processes that meet in the worst order, each written out: what the machine may take long to come upon."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain.groupbuy.commands import BuyAlone, CloseGroup, JoinGroup, OpenGroup, RefundOrder
from domain.groupbuy.payment import PaymentStatus
from tests.domain.catalogue import ANN, BEN, CAT, NOON
from tests.domain.money import laws, rest
from tests.domain.money.bank import Card, Fate
from tests.domain.money.processes import Process, buying, deciding, executing, looking, refunding, sweeping
from tests.domain.money.shop import STALLS, Shop
from tests.domain.money.till import ADDRESS

GROUP, ORDERS = UUID(int=0xE1), [UUID(int=number) for number in range(0x51, 0x58)]
CARDS, WALLET = 0, 3


@dataclass
class Stage:
    """A shop with one group in it, and the checks at the end."""

    shop: Shop = field(default_factory=Shop)
    stall: int = CARDS

    def __post_init__(self) -> None:
        self.shop.open_stall(STALLS[self.stall])
        self.deal_id = next(iter(self.shop.world.deals))

    def opens(self, card: Card = Card.GOOD) -> Process:
        command = OpenGroup(
            deal_id=self.deal_id, group_id=GROUP, shopper_id=ANN, order_id=ORDERS[0], address=ADDRESS, pay_within_s=9
        )
        return buying(self.shop, command, card)

    def joins(self, at: int, card: Card = Card.GOOD) -> Process:
        command = JoinGroup(
            group_id=GROUP, shopper_id=[ANN, BEN, CAT][at], order_id=ORDERS[at], address=ADDRESS, pay_within_s=9
        )
        return buying(self.shop, command, card)

    def fills(self, card: Card = Card.GOOD) -> None:
        """All places taken and paid for, the settlements written."""
        run(self.opens())
        for at in range(1, self.shop.world.groups[GROUP].terms.group_size_max):
            run(self.joins(at, card))
        run(deciding(self.shop, GROUP))

    def rests(self) -> None:
        rest.come_to_rest(self.shop, [])
        laws.all_hold(self.shop)
        rest.everybody_has_paid_what_is_due(self.shop)
        rest.books_agree(self.shop)

    def kept_minor(self, at: int) -> int:
        return self.shop.bank.accounts[ORDERS[at]].kept_minor


def run(process: Iterator[None], steps: int = 99) -> Iterator[None]:
    """Let a process make so many steps."""
    for _ in range(steps):
        if next(process, "over") == "over":
            break
    return process


def test_money_that_comes_behind_a_releasing_workers_back_is_released() -> None:
    """The worker found nothing at the gateway; then a slow call held the money; then the worker says: done."""
    stage = Stage()
    run(stage.opens())
    slow = run(stage.joins(1), 1)
    stage.shop.wait(timedelta(seconds=10))
    run(sweeping(stage.shop, ORDERS[1]))
    worker = run(executing(stage.shop, ORDERS[1]), 2)
    run(slow)
    assert stage.shop.payment(ORDERS[1]).late_at is not None
    run(worker)
    run(executing(stage.shop, ORDERS[1]))
    assert stage.shop.bank.accounts[ORDERS[1]].held_minor == 0
    stage.rests()


def test_an_approval_nobody_heard_of_counts_when_its_webhook_comes() -> None:
    """The process died between the gateway and the row: the place was reserved, so the money finds it."""
    stage = Stage()
    run(stage.opens(), 2)
    assert stage.shop.payment(ORDERS[0]).status is PaymentStatus.AWAITING
    run(looking(stage.shop, ORDERS[0]))
    assert stage.shop.payment(ORDERS[0]).status is PaymentStatus.HELD
    stage.rests()


def test_an_answer_that_was_lost_is_looked_up_before_the_place_lapses() -> None:
    """Promise 8: the sweep finds the money and keeps the place."""
    stage = Stage()
    stage.shop.bank.fates.append(Fate.LOST)
    run(stage.opens())
    stage.shop.wait(timedelta(seconds=9))
    run(sweeping(stage.shop, ORDERS[0]))
    assert stage.shop.world.groups[GROUP].participants == 1
    stage.rests()


def test_an_approval_in_the_instant_of_the_closing_goes_back() -> None:
    """The look-up said held, the closing came, the confirmation came after it."""
    stage = Stage()
    run(stage.opens(Card.ASKS))
    stage.shop.bank.approve(ORDERS[0])
    webhook = run(looking(stage.shop, ORDERS[0]), 2)
    stage.shop.wait(stage.shop.world.groups[GROUP].expires_at - stage.shop.now)
    stage.shop.tell(CloseGroup(group_id=GROUP))
    run(webhook)
    assert stage.shop.payment(ORDERS[0]).late_at is not None
    stage.rests()
    assert stage.kept_minor(0) == 0


def test_two_workers_capture_once() -> None:
    """Both looked, both capture, the answer of one is lost: 701 of 899 are taken, once."""
    stage = Stage()
    stage.fills()
    one, other = run(executing(stage.shop, ORDERS[0]), 2), run(executing(stage.shop, ORDERS[0]), 2)
    stage.shop.bank.fates.append(Fate.LOST)
    run(one)
    run(other)
    assert stage.kept_minor(0) == 701
    assert stage.shop.payment(ORDERS[0]).status is PaymentStatus.CAPTURED
    stage.rests()


def test_two_workers_give_the_difference_back_once() -> None:
    """A wallet has been paid in full: one refund of the difference, whoever makes it."""
    stage = Stage(stall=1)
    stage.fills()
    one, other = run(executing(stage.shop, ORDERS[0]), 2), run(executing(stage.shop, ORDERS[0]), 2)
    run(one, 1)
    run(other)
    run(one)
    assert stage.kept_minor(0) == 7
    stage.rests()


def test_a_declined_capture_leaves_no_hold() -> None:
    """The card breaks at the capture: the hold is cancelled before the place is given up, whoever crashes."""
    stage = Stage()
    stage.fills(Card.BREAKS)
    run(executing(stage.shop, ORDERS[1]), 3)
    assert stage.shop.bank.accounts[ORDERS[1]].held_minor
    run(executing(stage.shop, ORDERS[1]))
    assert not stage.shop.bank.accounts[ORDERS[1]].held_minor
    assert stage.shop.payment(ORDERS[1]).status is PaymentStatus.RELEASED
    assert stage.shop.world.groups[GROUP].final_unit_price == 701
    stage.rests()


def test_a_worker_that_slept_takes_nothing_back() -> None:
    """It took a settlement up that others finished; the order was refunded in part since; it must not "repair" that."""
    stage = Stage()
    stage.fills()
    asleep = executing(stage.shop, ORDERS[0])
    stage.shop.attempts[ORDERS[0]] += 1
    run(asleep, 1)
    run(executing(stage.shop, ORDERS[0]))
    refund_id = _refund(stage, ORDERS[0], 100)
    run(refunding(stage.shop, refund_id))
    run(asleep)
    assert stage.kept_minor(0) == 601
    stage.rests()


def test_two_refunds_of_one_order_do_not_mix() -> None:
    """The first one's answer is lost and another worker takes it up: 100 and 50 go back, not a unit more."""
    stage = Stage()
    stage.fills()
    run(executing(stage.shop, ORDERS[0]))
    first, second = _refund(stage, ORDERS[0], 100), _refund(stage, ORDERS[0], 50)
    asleep = run(refunding(stage.shop, first), 2)
    run(refunding(stage.shop, second))
    assert stage.kept_minor(0) == 701
    stage.shop.bank.fates.extend([Fate.FINE, Fate.LOST])
    run(refunding(stage.shop, first))
    run(refunding(stage.shop, first))
    run(refunding(stage.shop, second))
    run(asleep)
    assert stage.kept_minor(0) == 551
    stage.rests()


def test_a_purchase_alone_survives_every_crash() -> None:
    """Reserved, then nothing: the sweep frees it. Approved, then nothing: the webhook makes it an order."""
    stage = Stage()
    command = BuyAlone(deal_id=stage.deal_id, shopper_id=ANN, order_id=ORDERS[4], address=ADDRESS, pay_within_s=9)
    run(buying(stage.shop, command, Card.GOOD), 1)
    other = BuyAlone(deal_id=stage.deal_id, shopper_id=BEN, order_id=ORDERS[5], address=ADDRESS, pay_within_s=9)
    run(buying(stage.shop, other, Card.GOOD), 2)
    assert stage.shop.now > NOON
    stage.rests()
    assert list(stage.shop.world.orders) == [ORDERS[5]]


def _refund(stage: Stage, order_id: UUID, amount_minor: int) -> UUID:
    order, refund_id = stage.shop.world.orders[order_id], stage.shop.new_id()
    command = RefundOrder(
        deal_id=order.deal_id,
        group_id=order.group_id,
        order_id=order_id,
        merchant_id=order.merchant_id,
        refund_id=refund_id,
        amount_minor=amount_minor,
        currency=None,
        reason="Broken",
        is_return=False,
    )
    stage.shop.tell(command)
    return refund_id

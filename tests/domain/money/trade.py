"""What shoppers and merchants do."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    CancelOrder,
    DeliverOrder,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    RefundOrder,
    ShipOrder,
)
from domain.groupbuy.errors import OrderNotFound
from domain.groupbuy.order import Order
from domain.groupbuy.world import Refused
from tests.domain.catalogue import MERCHANT, OTHER_MERCHANT
from tests.domain.money.bank import Card
from tests.domain.money.processes import buying, deciding, executing
from tests.domain.money.shop import SHOPPERS, STALLS
from tests.domain.money.stand import TO_THE_END, Stand, has_open_groups, paces, picks, shoppers

quantities = st.sampled_from([1, 1, 1, 2, 3])
cards = st.sampled_from([Card.GOOD] * 6 + [Card.ASKS] * 2 + [Card.BREAKS] * 2 + [Card.DECLINES])
sums = st.lists(st.sampled_from([None, 1, 1, 5, 5, 300, 300, 0, 10**6]), min_size=1, max_size=3)


class Trade(Stand):
    """Shoppers open, join, leave, buy alone, and approve or do not; merchants cancel, ship and refund."""

    @initialize(bought=st.lists(st.sampled_from([0, 1, 3]), max_size=2))
    def open_stalls(self, bought: list[int]) -> None:
        """Four deals, and some groups of them that have been full for a while."""
        for stall in STALLS:
            self.shop.open_stall(stall)
        for at in bought:
            self.open_group(at, SHOPPERS[at], 1, Card.GOOD, TO_THE_END)
            if self.open_groups():
                self.fill(-1, 3, Card.GOOD)
        self.work(0)

    @rule(pick=picks, shopper_id=shoppers, quantity=quantities, card=cards, pace=paces)
    def open_group(self, pick: int, shopper_id: UUID, quantity: int, card: Card, pace: int) -> None:
        deal_id = list(self.shop.world.deals)[pick % 4]
        wish = self.wish(shopper_id, quantity, deal_id, pick)
        self.run_on(buying(self.shop, OpenGroup(deal_id=deal_id, group_id=self.shop.new_id(), **wish), card), pace)

    @precondition(has_open_groups)
    @rule(pick=picks, shopper_id=shoppers, quantity=quantities, card=cards, pace=paces)
    def join(self, pick: int, shopper_id: UUID, quantity: int, card: Card, pace: int) -> None:
        group = self.picked(self.open_groups(), pick)
        wish = self.wish(shopper_id, quantity, group.deal_id, pick)
        self.run_on(buying(self.shop, JoinGroup(group_id=group.id, **wish), card), pace)

    @precondition(has_open_groups)
    @rule(pick=picks, seats=st.integers(1, 4), card=st.sampled_from([Card.GOOD] * 4 + [Card.BREAKS]))
    def fill(self, pick: int, seats: int, card: Card) -> None:
        """Some who are not in it yet join one group, one after the other."""
        group = self.picked(self.open_groups(), pick)
        outsiders = [shopper for shopper in SHOPPERS if shopper not in self.shop.members.get(group.id, set())]
        for shopper_id in outsiders[:seats]:
            wish = self.wish(shopper_id, 1, group.deal_id, pick)
            self.run_on(buying(self.shop, JoinGroup(group_id=group.id, **wish), card), TO_THE_END)

    @rule(pick=picks, shopper_id=shoppers, quantity=quantities, card=cards, pace=paces)
    def buy_alone(self, pick: int, shopper_id: UUID, quantity: int, card: Card, pace: int) -> None:
        deal_id = list(self.shop.world.deals)[pick % 4]
        command = BuyAlone(deal_id=deal_id, **self.wish(shopper_id, quantity, deal_id, pick))
        self.run_on(buying(self.shop, command, card), pace)

    @rule(pick=picks)
    def work(self, pick: int) -> None:
        """The workers do what is to be done, most of it."""
        for group in list(self.shop.world.groups.values()):
            self.run_on(deciding(self.shop, group.id), TO_THE_END)
        for order_id in self.pending_settlements():
            if (order_id.int + pick) % 4:
                self.run_on(executing(self.shop, order_id), TO_THE_END)

    @precondition(lambda self: bool(self.waiting_for_steps()))
    @rule(pick=picks, says_yes=st.sampled_from([True, True, False]))
    def take_step(self, *, pick: int, says_yes: bool) -> None:
        order_id = self.picked(self.waiting_for_steps(), pick)
        if says_yes:
            self.shop.bank.approve(order_id)
        else:
            self.shop.bank.decline(order_id)

    @precondition(has_open_groups)
    @rule(pick=picks, shopper_id=shoppers)
    def leave(self, pick: int, shopper_id: UUID) -> None:
        group = self.picked(self.open_groups(), pick)
        members = sorted(self.shop.members.get(group.id) or {shopper_id})
        leaver_id = self.picked(members, pick) if pick % 2 else shopper_id
        self.shop.tell(LeaveGroup(group_id=group.id, shopper_id=leaver_id))

    @precondition(has_open_groups)
    @rule(
        pick=picks,
        merchant_id=st.sampled_from([MERCHANT, OTHER_MERCHANT, None]),
        is_meant=picks.map(lambda at: at < 25),
    )
    def cancel_group(self, *, pick: int, merchant_id: UUID | None, is_meant: bool) -> None:
        group = self.picked(self.open_groups(), pick)
        if is_meant:
            self.shop.tell(CancelGroup(group_id=group.id, merchant_id=merchant_id))

    @precondition(lambda self: self.shop.world.orders)
    @rule(pick=picks, does=st.lists(st.sampled_from(["ship", "ship", "deliver", "cancel"]), min_size=1, max_size=3))
    def handle_order(self, pick: int, does: list[str]) -> None:
        for step in does:
            order = self.picked(list(self.shop.world.orders.values()), pick)
            self.shop.tell(_handling(order, step, self.shop.new_id()))

    @precondition(lambda self: self.shop.world.orders)
    @rule(pick=picks, amounts=sums, is_return=st.booleans(), again=st.booleans(), who=st.integers(0, 5))
    def refund(self, *, pick: int, amounts: list[int | None], is_return: bool, again: bool, who: int) -> None:
        for amount in amounts:
            order = self.picked(list(self.shop.world.orders.values()), pick)
            before = [refund.id for refund in self.shop.world.refunds.values() if refund.order_id == order.id]
            is_again = again and bool(before)
            refund_id = self.picked(before, pick) if is_again else self.shop.new_id()
            merchant_id = order.merchant_id
            if not who:
                merchant_id = OTHER_MERCHANT if merchant_id == MERCHANT else MERCHANT
            self._ask_refund(order, merchant_id, refund_id, amount, is_return=is_return, is_again=is_again)

    def _ask_refund(
        self, order: Order, merchant_id: UUID, refund_id: UUID, amount: int | None, *, is_return: bool, is_again: bool
    ) -> None:
        command = RefundOrder(
            deal_id=order.deal_id,
            group_id=order.group_id,
            order_id=order.id,
            merchant_id=merchant_id,
            refund_id=refund_id,
            amount_minor=amount,
            currency=order.currency,
            reason="Broken",
            is_return=is_return,
        )
        outcome = self.shop.tell(command)
        if merchant_id != order.merchant_id:
            assert isinstance(outcome, Refused)
            assert isinstance(outcome.error, OrderNotFound)
        elif not is_again and (amount or order.kept_minor) not in range(1, order.kept_minor + 1):
            assert isinstance(outcome, Refused)


def _handling(order: Order, step: str, refund_id: UUID) -> ShipOrder | DeliverOrder | CancelOrder:
    of, owner_id = {"deal_id": order.deal_id, "order_id": order.id}, order.merchant_id
    match step:
        case "ship":
            return ShipOrder(**of, merchant_id=owner_id, carrier="Post", tracking_number=f"T-{refund_id.int}")
        case "deliver":
            return DeliverOrder(**of, caller_id=order.shopper_id)
        case _:
            return CancelOrder(
                **of,
                group_id=order.group_id,
                shopper_id=order.shopper_id,
                merchant_id=owner_id,
                refund_id=refund_id,
                reason="Sold out",
            )

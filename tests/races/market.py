"""Shoppers, merchants, clocks and workers of two processes, a gateway behind a bad line, and crashes: for real."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.groupbuy.commands import BuyAlone, CancelGroup, JoinGroup, LeaveGroup, OpenGroup
from domain.pricing.steps import Strategy
from infra.ids import new_id
from tests.money_shop import ADDRESS, Purchase
from tests.races.hostile_sandbox import Fate
from tests.races.house import House
from tests.races.stage import Stage

SHOPPERS = [UUID(int=0xF0 + number) for number in range(6)]
_EMPTY = """
  TRUNCATE deals, variants, groups, participants, invites, settlements, outbox, idempotency_keys, payments, orders,
    refunds, ledger, sandbox_payments, sandbox_events CASCADE"""
_AWHILE = "created_at = created_at - interval '20 s', looked_up_at = looked_up_at - interval '20 s'"
_DUE = "next_attempt_at = clock_timestamp() - interval '1 ms'"
_LOST = "UPDATE sandbox_payments SET hold_expires_at = clock_timestamp() - interval '1 s' WHERE order_id = :id"
_PLACE_IS_OVER = "UPDATE payments SET pay_by = clock_timestamp() WHERE order_id = :id AND status = 'awaiting'"
_GROUP_IS_OVER = "UPDATE groups SET expires_at = clock_timestamp() WHERE id = :id AND status = 'open'"
_MINUTE_LATER = "created_at = created_at - interval '1 minute'"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants how much, pays how, and what becomes of the call that asks for the money."""

    shopper_id: UUID
    quantity: int = 1
    method: str = "sandbox_approve"
    fate: Fate = Fate.FINE


@dataclass(slots=True)
class Market:
    """Moves; each goes on until all that is under way is done, or waits for an answer that is on its way.

    `at` is the process it goes through, `pick` chooses among what there is.
    """

    stage: Stage

    async def rush(self, pick: int, *, is_new: bool, wishes: list[Wish]) -> None:
        """Some shoppers go for one group, through both processes; of a new one the first is the leader."""
        deal_id, group_id = self.stage.deal_ids[pick % 2], new_id()
        opened = [bought for bought in self.stage.bought if bought.group_id is not None]
        is_new = is_new or not opened
        if not is_new:
            beside = opened[-1 - pick % min(6, len(opened))]
            deal_id, group_id = beside.deal_id, beside.group_id or group_id
        for number, wish in enumerate(wishes):
            asked = {"shopper_id": wish.shopper_id, "order_id": new_id()}
            more = {"quantity": wish.quantity, "address": ADDRESS}
            command: OpenGroup | JoinGroup = JoinGroup(group_id=group_id, **asked, **more)  # type: ignore[arg-type]  # by its names
            if is_new and number == 0:
                command = OpenGroup(deal_id=deal_id, group_id=group_id, **asked, **more)  # type: ignore[arg-type]  # by its names
            await self._buy((pick + number) % 2, command, deal_id, wish)

    async def buy_alone(self, at: int, pick: int, wish: Wish) -> None:
        deal_id = self.stage.deal_ids[pick % 2]
        command = BuyAlone(
            deal_id=deal_id,
            shopper_id=wish.shopper_id,
            order_id=new_id(),
            quantity=wish.quantity,
            address=ADDRESS,
        )
        await self._buy(at, command, deal_id, wish)

    async def let_go_on(self, pick: int) -> None:
        """A call that is on its way arrives, or its answer does."""
        waiting = self.stage.line.on_their_way
        if waiting:
            self.stage.line.let_go_on(waiting[pick % len(waiting)])
            await self.stage.go_on()

    async def crash(self) -> None:
        """Whoever waits for an answer is no more; what was sent arrives some other time."""
        for call in list(self.stage.line.on_their_way):
            await self.stage.crash(call)

    async def webhook(self, at: int, picks: list[int], fate: Fate) -> None:
        self.stage.line.fates.append(fate)
        house = self.stage.houses[at]
        await self.stage.begin(house.hear(*(self._picked(pick) for pick in picks)))

    async def ask_again(self, at: int, pick: int, method: str, fate: Fate) -> None:
        self.stage.line.fates.append(fate)
        await self.stage.begin(self.stage.ask_again(at, self._picked(pick), method))

    async def take_step(self, pick: int, *, approve: bool) -> None:
        await self.stage.take_step(self._picked(pick), approve=approve)

    async def leave(self, at: int, pick: int, *, calls_off: bool) -> None:
        """A shopper leaves, or all of them because the group is called off."""
        bought = self._picked(pick)
        if bought.group_id is None:
            return
        if calls_off:
            await self.stage.tell(at, CancelGroup(group_id=bought.group_id, merchant_id=None), bought.deal_id)
        else:
            command = LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id)
            await self.stage.tell(at, command, bought.deal_id)

    async def deadline(self, at: int, pick: int, *, is_groups: bool, is_noticed: bool) -> None:
        """The time of a place or a group is over; sweep and executor come at once or another time."""
        bought = self._picked(pick)
        if is_groups:
            await self.stage.make(_GROUP_IS_OVER, id=bought.group_id)
        else:
            await self.stage.make(_PLACE_IS_OVER, id=bought.order_id)
        if is_noticed:
            await self.work(at, [], leases_pass=False)

    async def look_up(self, at: int, fate: Fate) -> None:
        """A while later a sweep asks about what nothing was heard of."""
        self.stage.line.fates.append(fate)
        await self.stage.make(f"UPDATE payments SET {_AWHILE} WHERE status = 'awaiting'")
        await self.stage.begin(self.stage.look_up(at))

    async def work(self, at: int, coming: list[Fate], *, leases_pass: bool) -> None:
        """Groups that closed are settled, and an executor takes up what is due, perhaps also what another one has."""
        self.stage.line.fates.extend(coming)
        if leases_pass:
            for table in ("settlements", "refunds"):
                await self.stage.make(f"UPDATE {table} SET {_DUE} WHERE status = 'pending'")
        await self.stage.sweep(at)
        await self.stage.work(at)

    async def minute_later(self) -> None:
        """No call takes as long as this."""
        await self.stage.clear()
        await self.stage.make(f"UPDATE payments SET {_MINUTE_LATER}")
        await self.stage.make(f"UPDATE settlements SET {_MINUTE_LATER}")

    async def lose_hold(self, pick: int) -> None:
        """The card's bank lets go of a hold before its time."""
        await self.stage.make(f"{_LOST} AND status = 'held'", id=self._picked(pick).order_id)

    async def handle_order(
        self, at: int, pick: int, amounts_minor: list[int | None], *, ships: bool, calls_off: bool
    ) -> None:
        """A merchant gives money back, and ships an order or calls it off."""
        paid = await self.stage.paid()
        if paid:
            bought = paid[pick % len(paid)]
            for command in self.stage.handling(bought, amounts_minor, ships=ships, calls_off=calls_off):
                await self.stage.tell(at, command, bought.deal_id)

    async def _buy(self, at: int, command: OpenGroup | JoinGroup | BuyAlone, deal_id: UUID, wish: Wish) -> None:
        self.stage.line.fates.append(wish.fate)
        await self.stage.begin(self.stage.buy(at, command, deal_id, wish.method))

    def _picked(self, pick: int) -> Purchase:
        return self.stage.bought[pick % len(self.stage.bought)]


async def opened(houses: tuple[House, House], strategy: Strategy) -> Market:
    """A market in an empty database, with a full group of one deal and one of the other that lacks somebody."""
    async with houses[0].engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))  # the ledger's guard looks away
        await connection.execute(text(_EMPTY))
    market = Market(Stage(houses, strategy))
    await market.stage.open()
    for pick in range(2):
        await market.rush(pick, is_new=True, wishes=[Wish(shopper_id) for shopper_id in SHOPPERS[: 3 - pick]])
    return market

"""Following the money from outside: what each shopper's orders say, held against what the log says that they pay.

A shopper pays for the groups of theirs that succeeded, once and exactly its price, and for nothing else. The merchant's
side is checked by the totals: its statement must come to what all shoppers together pay, to the minor unit.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from cli.api_client import ApiRefused
from cli.crew import not_done_with
from cli.replay.paging import Page, every_item
from cli.replay.plan import CURRENCY, TIPS_AT
from cli.replay.run import Replay

STANDSTILL_S = 60
"""Given up when for so long the money of no shopper has come to its end."""
LOOK_AGAIN_AFTER_S = 0.5
STATEMENT_REACH = timedelta(days=7)
"""To both sides of now: longer than a replay can run, and than clocks can differ."""
PAID = "delivered"
"""The deals of a replay say nothing of shipping, so what is paid is delivered."""
ON_ITS_WAY = frozenset({"awaiting_payment", "waiting_for_group", "settling"})


class MyOrder(msgspec.Struct):
    """An order as its shopper sees it, from the first try to pay on."""

    id: str
    group_id: str | None
    status: str
    hold: int
    captured: int
    refunded: int
    placed_at: datetime | None


class Balance(msgspec.Struct):
    """What a merchant was paid in one currency, minor units."""

    currency: str
    captured: int


class Statement(msgspec.Struct):
    """A merchant's statement, as far as it is checked."""

    balances: list[Balance]


_statement = msgspec.json.Decoder(Statement)
_decode_orders = msgspec.json.Decoder(Page[MyOrder]).decode


async def check_money(replay: Replay, advance: Callable[[], None]) -> None:
    """Compare every shopper's orders with the log; what is still on its way is looked at again while anything moves."""
    waiting, give_up_at = list(replay.lines_of), time.monotonic() + STANDSTILL_S
    while waiting:
        begun_at = time.monotonic()
        look = partial(_check_shopper, replay, patient=begun_at < give_up_at)
        still_waiting = await not_done_with(waiting, replay.concurrency, look, advance)
        if len(still_waiting) < len(waiting):
            give_up_at = time.monotonic() + STANDSTILL_S
        waiting = still_waiting
        if waiting:  # settling comes first: looking on takes the half of the time at most
            await asyncio.sleep(max(LOOK_AGAIN_AFTER_S, time.monotonic() - begun_at))


async def _check_shopper(replay: Replay, shopper: int, *, patient: bool) -> bool:
    """Whether this shopper is done with; not while money of theirs is on its way and there is time."""
    lines, token = replay.lines_of[shopper], replay.cast.token(shopper)
    try:
        orders = await every_item(replay.client, "look at my orders", "/v1/me/orders", token, _decode_orders)
    except ApiRefused as refusal:
        for line in lines:
            replay.note_mismatch(line, f"shopper {shopper} may not see their orders: {refusal}")
        return True
    if patient and any(order.status in ON_ITS_WAY for order in orders):
        return False
    for line in lines:
        group_id = replay.group_ids.get(line)
        _check_place(replay, line, shopper, [order for order in orders if order.group_id == group_id])
    known = {replay.group_ids.get(line) for line in lines}
    if foreign := [order.id for order in orders if order.group_id not in known]:
        replay.note_mismatch(lines[0], f"shopper {shopper} has orders of no group of theirs: {', '.join(foreign)}")
    return True


def _check_place(replay: Replay, line: int, shopper: int, orders: list[MyOrder]) -> None:
    """Compare what became of one shopper's money in one group; whatever was taken counts for the totals."""
    money, fate = replay.figures.money, replay.fate(line)
    for order in orders:
        money.note(order.captured, order.placed_at, replay.closed_at.get(line))
    if len(orders) != 1:
        replay.note_mismatch(line, f"shopper {shopper} has {len(orders)} orders of the group, expected 1")
        return
    ceiling = replay.items[replay.log[line].item].unit_price(TIPS_AT)
    compared = (
        ("status", PAID if fate.pays else "not_paid", orders[0].status),
        ("held", ceiling, orders[0].hold),
        ("captured", fate.pays, orders[0].captured),
        ("refunded", 0, orders[0].refunded),
    )
    differences = [f"{name} {found}, expected {expected}" for name, expected, found in compared if found != expected]
    if differences:
        replay.note_mismatch(line, f"the order of shopper {shopper} shows: {'; '.join(differences)}")


async def check_statement(replay: Replay) -> None:
    """Compare the merchant's statement of these days with the log: each replay has a merchant of its own."""
    now = datetime.now(UTC)
    begin, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now - STATEMENT_REACH, now + STATEMENT_REACH))
    path, token = f"/v1/me/statement?from={begin}&to={end}&limit=1", replay.cast.merchant_token
    try:
        answer = await replay.client.ask("merchant's statement", "GET", path, token=token)
    except ApiRefused as refusal:
        replay.faults.append(f"the merchant may not see the statement: {refusal}")
        return
    captured = {balance.currency: balance.captured for balance in _statement.decode(answer).balances}
    expected = {CURRENCY: replay.due_minor} if replay.due_minor else {}
    if captured != expected:
        replay.faults.append(f"the merchant's statement says captured {captured}, expected {expected}")

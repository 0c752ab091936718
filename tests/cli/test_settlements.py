"""`tuan settlements`: an operator sees which money does not move, and has it tried again."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.groupbuy.commands import LeaveGroup, RefundOrder
from infra.ids import new_id
from infra.payments.unsettled import STUCK_AFTER_S, try_again, unsettled
from infra.runtime import Runtime
from tests.house.running import tuan
from tests.money_shop import MoneyShop, Purchase

ERROR = "The gateway's bank says: no."


@pytest.fixture
def shop(runtime: Runtime) -> MoneyShop:
    return MoneyShop(runtime.engine, runtime.batcher, new_id())


async def test_what_does_not_move_is_listed_and_tried_again(shop: MoneyShop, environment: dict[str, str]) -> None:
    """The dead and why, for people and for programs; put back by their ids; the exit status says if any are left."""
    answer = tuan("settlements", **environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Nothing waits for a person" in answer.stdout
    released, refund_id = await _dead_release(shop), await _dead_refund(shop)
    answer = tuan("settlements", **environment)
    assert (answer.returncode, answer.stderr) == (1, "")
    lines = answer.stdout.splitlines()
    assert any(_has(line, "release", released.order_id, released.group_id, "18.00 EUR", 20, ERROR) for line in lines)
    assert any(_has(line, "refund", refund_id, "3.00 EUR", 20, ERROR) for line in lines)
    assert "2 dead" in lines[-1]
    told = json.loads(tuan("settlements", "--json", **environment).stdout)
    assert {(one["id"], one["amount"], one["status"]) for one in told} == {
        (str(released.order_id), 1_800, "dead"),
        (str(refund_id), 300, "dead"),
    }
    answer = tuan("settlements", "retry", str(released.order_id), str(refund_id), **environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert tuan("settlements", **environment).returncode == 0


async def test_a_retry_that_names_nothing_dead_says_so(shop: MoneyShop, environment: dict[str, str]) -> None:
    """What is not dead stays as it is, and the caller is told; naming nothing at all is a wrong call."""
    released, other = await _dead_release(shop), new_id()
    answer = tuan("settlements", "retry", str(released.order_id), str(other), **environment)
    assert answer.returncode == 1
    assert answer.stderr == f"tuan: {other} is no dead settlement or refund; `tuan settlements` lists them.\n"
    answer = tuan("settlements", "retry", **environment)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--all" in answer.stderr
    answer = tuan("settlements", "retry", "--all", **environment)
    assert (answer.returncode, answer.stdout) == (0, "Nothing was dead.\n")


async def test_a_retry_looks_before_it_acts(shop: MoneyShop) -> None:
    """All at once: what is put back counts as tried before, and an order's id means its refunds too."""
    released, refund_id = await _dead_release(shop), await _dead_refund(shop)
    ((order_id,),) = await _rows(shop, "SELECT order_id FROM refunds")
    assert await try_again(shop.engine, [order_id]) == {order_id, refund_id}
    assert await try_again(shop.engine, None) == {released.order_id}
    tried = "SELECT attempts, status FROM settlements WHERE attempts > 0 UNION SELECT attempts, status FROM refunds"
    assert await _rows(shop, tried) == [(1, "pending")]


async def test_what_is_pending_for_long_is_shown(shop: MoneyShop) -> None:
    """Without a worker nothing dies, it waits; what was decided a moment ago is no news."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await _leave(shop, bought)
    assert await unsettled(shop.engine) == []
    earlier = f"- interval '{STUCK_AFTER_S + 1} s'"
    columns = ("created_at", "next_attempt_at")
    await shop.make("UPDATE settlements SET " + ", ".join(f"{column} = {column} {earlier}" for column in columns))
    (found,) = await unsettled(shop.engine)
    assert (found.what, found.id, found.status, found.attempts) == ("release", bought.order_id, "pending", 0)


async def _dead_release(shop: MoneyShop) -> Purchase:
    """A hold that could not be released."""
    (bought,) = await shop.paid_group(await shop.live(), None)
    await _leave(shop, bought)
    await shop.make(
        "UPDATE settlements SET status = 'dead', attempts = 20, last_error = :error WHERE order_id = :id",
        error=ERROR,
        id=bought.order_id,
    )
    return bought


async def _dead_refund(shop: MoneyShop) -> UUID:
    """A refund that could not be made."""
    bought, *_ = await shop.orders_of(await shop.live(), None, None)
    refund_id = new_id()
    await shop.tell(
        RefundOrder(
            deal_id=bought.deal_id,
            group_id=bought.group_id,
            order_id=bought.order_id,
            merchant_id=shop.merchant_id,
            refund_id=refund_id,
            amount_minor=300,
            currency=None,
            reason="Scratched",
            is_return=False,
        )
    )
    await shop.make("UPDATE refunds SET status = 'dead', attempts = 20, last_error = :error", error=ERROR)
    return refund_id


async def _leave(shop: MoneyShop, bought: Purchase) -> None:
    assert bought.group_id is not None
    await shop.tell(LeaveGroup(group_id=bought.group_id, shopper_id=bought.shopper_id))


async def _rows(shop: MoneyShop, query: str) -> list[tuple[Any, ...]]:
    async with shop.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def _has(line: str, *words: object) -> bool:
    return all(str(word) in line for word in words)

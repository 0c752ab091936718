"""Commands of the clock about a deal that somebody keeps locked: nobody waits for them, and nobody forgets them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.groupbuy.commands import CloseGroup
from tests.reading.shop import Shop
from tests.waiting import eventually
from tests.workers.ground_truth import all_closed
from workers.duty import Context
from workers.telling import Telling


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_what_nobody_waits_for_is_told_once_at_a_time(
    context: Context, shop: Shop, *, is_cancelled: bool
) -> None:
    """It is not told again while it waits; once it is done, however it ended, it is forgotten without a fault."""
    deal_id = await shop.live()
    group_id = await shop.opened(deal_id)
    await shop.let_time_pass(deal_id, timedelta(hours=2))
    telling, closing = Telling(), (CloseGroup(group_id=group_id), deal_id)
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))

    async def nothing_is_left() -> bool:
        return not telling._left

    async with shop.engine.begin() as locking:
        await locking.execute(text("SELECT FROM deals FOR UPDATE"))
        assert await telling.tell(context, [closing]) == 0
        (left,) = telling._left.values()
        assert await telling.tell(context, [closing]) == 0
        assert list(telling._left.values()) == [left]
        if is_cancelled:
            left.cancel()
            await eventually(nothing_is_left, "the end of what was cancelled")
    await eventually(nothing_is_left, "the closing")
    await eventually(lambda: telling.tell(context, [closing]), "a telling that is waited for")
    assert await all_closed(shop.engine, [group_id])
    assert not faults

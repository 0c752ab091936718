"""Winding down: whoever was suspended sells nothing more, and everybody in their open groups gets the money back.

The deals are paused first, under their locks: after that no group can open that would be overlooked. They stay paused
when the merchant is reinstated, who resumes what is still wanted. Each group is called off as the platform calls off
any group, so holds are released and what was taken is returned by the same settlement. PostgreSQL says what is left
to do, so it goes on wherever a process died.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.groupbuy.commands import CancelGroup, PauseDeal
from domain.groupbuy.errors import DealOver, GroupClosed
from infra.identity.audit import Actor, ActorKind, Deed
from infra.identity.winding_down import (
    BEGINNING,
    OpenGroup,
    end_winding_down,
    open_groups,
    published_deals,
    suspended_merchants,
)
from workers.duty import Context, Duty
from workers.telling import Telling

MERCHANTS_AT_ONCE = 100
ROWS_AT_ONCE = 500
LOOK_EVERY_S = 1.0
REASON: Final = "The merchant was suspended."

_WORKER: Final = Actor(ActorKind.WORKER)
_PAUSE: Final = Deed(_WORKER, "deal.pause", reason=REASON)
_CANCEL: Final = Deed(_WORKER, "group.cancel", reason=REASON)
_OVER_ANYWAY: Final = (DealOver, GroupClosed)
"""Its time came between the look and the decision."""


class WindingDown:
    """Ends what goes on at merchants who were suspended."""

    def __init__(self) -> None:
        self._telling = Telling()

    async def step(self, context: Context) -> float:
        """Do all there is to do for everybody who is being wound down."""
        async with context.by_key.connect() as connection:
            merchant_ids = await suspended_merchants(connection, MERCHANTS_AT_ONCE)
        for merchant_id in merchant_ids:
            await self._pause_deals(context, merchant_id)
            await self._cancel_groups(context, merchant_id)
            async with context.by_key.begin() as connection:
                await end_winding_down(connection, merchant_id)
        return LOOK_EVERY_S

    async def _pause_deals(self, context: Context, merchant_id: UUID) -> None:
        last = BEGINNING.id
        while deal_ids := await _deals_after(context, merchant_id, last):
            last = deal_ids[-1]
            commands = [(PauseDeal(deal_id=deal_id, merchant_id=merchant_id), deal_id) for deal_id in deal_ids]
            await self._telling.tell(context, commands, _PAUSE, expected=_OVER_ANYWAY)

    async def _cancel_groups(self, context: Context, merchant_id: UUID) -> None:
        last = BEGINNING
        while groups := await _groups_after(context, merchant_id, last):
            last = groups[-1]
            commands = [(CancelGroup(group_id=group.id, merchant_id=None), group.deal_id) for group in groups]
            await self._telling.tell(context, commands, _CANCEL, expected=_OVER_ANYWAY)
            context.wake("settling")


WINDING_DOWN = Duty("winding_down", 10, WindingDown().step)


async def _deals_after(context: Context, merchant_id: UUID, last: UUID) -> Sequence[UUID]:
    async with context.by_key.connect() as connection:
        return await published_deals(connection, merchant_id, ROWS_AT_ONCE, last)


async def _groups_after(context: Context, merchant_id: UUID, last: OpenGroup) -> list[OpenGroup]:
    async with context.by_key.connect() as connection:
        return await open_groups(connection, merchant_id, ROWS_AT_ONCE, last)

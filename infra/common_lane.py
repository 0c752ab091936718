"""The common lane: where all commands go whose deals nobody else keeps locked, as far as is known."""

from uuid import UUID

import msgspec

from infra.batch import Waiting
from infra.lane import Lane, Shared
from infra.side_lanes import SideLanes
from infra.statement import Statement

LOCK_WAIT_MS = 200
"""How long all wait for a deal's lock: many times as long as another process's batch keeps it."""

_FREE = Statement("""
  SELECT coalesce(json_agg(id), '[]')::text FROM (
    SELECT id FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) FOR NO KEY UPDATE SKIP LOCKED) AS free""")
_decode_ids = msgspec.json.Decoder(frozenset[UUID]).decode


class CommonLane(Lane):
    """A lane that puts aside the commands of deals that are held up."""

    def __init__(self, shared: Shared, queue_commands_max: int, side_lanes: SideLanes) -> None:
        super().__init__(shared, queue_commands_max, lock_wait_ms=LOCK_WAIT_MS)
        self._side_lanes = side_lanes

    def _next_batch(self) -> list[Waiting]:
        taken = super()._next_batch()
        return self._without(self._side_lanes.held_up, taken) if self._side_lanes.held_up else taken

    async def _locked_out(self, waiting: list[Waiting]) -> list[Waiting]:
        """Go on without the deals that are locked this moment."""
        asked = {one.deal_id for one in waiting}
        locked = asked - await self._free(asked)
        # Where none is, the lock came free a moment too late; apart they have more time.
        self._queue.extendleft(reversed(self._without(locked or asked, waiting)))
        return []

    def _without(self, locked: set[UUID], waiting: list[Waiting]) -> list[Waiting]:
        """Put aside those of these deals; answers the others."""
        rest = []
        for one in waiting:
            if one.deal_id in locked:
                self._side_lanes.put_aside(one)
            else:
                rest.append(one)
        return rest

    async def _free(self, deal_ids: set[UUID]) -> frozenset[UUID]:
        """Those that nobody keeps locked this moment; a deal that does not exist is not among them."""
        asked = {"deal_ids": list(deal_ids)}
        return _decode_ids(await self._connection.statement(lambda driver: _FREE.value(driver, asked)))

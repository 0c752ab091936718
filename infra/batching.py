"""The one way every write goes: commands waiting in this process are decided and committed together.

While one batch commits the next one collects, so a busy process writes many commands per transaction and an idle one
adds no delay. A lane is one such queue. Commands of a deal that somebody else keeps locked leave it for a side lane,
where they wait for the lock without holding up others.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    Command,
    CreateInvite,
    JoinGroup,
    LeaveGroup,
    RevokeInvite,
)
from domain.groupbuy.errors import GroupNotFound
from infra.batch import Idempotency, Waiting
from infra.common_lane import CommonLane
from infra.gathering import Gathering
from infra.identity.audit import Deed
from infra.lane import Answer, Committed, Shared
from infra.reading.fetching import fetch_json
from infra.side_lanes import SideLanes
from infra.unavailable import Overloaded

GROUP_DEALS_REMEMBERED_MAX = 100_000

_DEALS_OF_GROUPS = text(
    "SELECT coalesce(json_object_agg(id, deal_id), '{}')::text FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))"
)
_decode_deals = msgspec.json.Decoder(dict[UUID, UUID]).decode


class Batcher:
    """Tells commands to the domain, many per transaction.

    `on_commit` is called after each commit, in the event loop, and must not block. `suspended` tells whose deals open
    nothing new at this moment.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        batch_commands_max: int,
        queue_commands_max: int,
        on_commit: Callable[[Committed], None] = lambda _: None,
        suspended: Callable[[], frozenset[UUID]] = frozenset,
    ) -> None:
        self._engine = engine
        shared = Shared(
            engine=engine, batch_commands_max=batch_commands_max, on_commit=self._committed, suspended=suspended
        )
        self._side_lanes = SideLanes(shared, queue_commands_max)
        self._lane = CommonLane(shared, queue_commands_max, self._side_lanes)
        self._deal_of_group: dict[UUID, UUID] = {}
        self._looking_up = Gathering(self._fetch_deals)
        self._on_commit = on_commit
        self._stopping = False

    async def tell(self, command: Command, idempotency: Idempotency | None = None, deed: Deed | None = None) -> Answer:
        """Decide and save one command; with a deed, what it changes is in the audit log by the same commit.

        Answers what it caused, or the stored answer of a repeated idempotency key. Raises the domain's refusal,
        `KeyReused`, `Overloaded` when too many wait, and `DatabaseUnavailable` when it is not known to be saved.
        """
        return await self.put(command, await self._deal_of(command), idempotency, deed)

    def put(
        self, command: Command, deal_id: UUID, idempotency: Idempotency | None = None, deed: Deed | None = None
    ) -> asyncio.Future[Answer]:
        """As `tell`, for a caller who knows the deal and has many commands: no task for each of them."""
        if self._stopping:
            raise Overloaded
        waiting = Waiting(command, deal_id, idempotency, deed)
        (self._side_lanes if deal_id in self._side_lanes.held_up else self._lane).put(waiting)
        return waiting.answer

    def is_held_up(self, deal_id: UUID) -> bool:
        """Whether somebody else keeps the deal locked, as far as is known: its commands wait apart from all others."""
        return deal_id in self._side_lanes.held_up

    def remember(self, group_id: UUID, deal_id: UUID) -> None:
        """Take note of a group's deal, so that telling a command about it needs no look-up."""
        if len(self._deal_of_group) >= GROUP_DEALS_REMEMBERED_MAX:
            self._deal_of_group.clear()
        self._deal_of_group[group_id] = deal_id

    async def stop(self) -> None:
        """Take no more commands and answer those that wait."""
        self._stopping = True
        await self._lane.drained()  # what it puts aside is in the side lanes then
        await self._side_lanes.drained()

    async def _deal_of(self, command: Command) -> UUID:
        match command:
            case JoinGroup() | LeaveGroup() | CancelGroup() | CloseGroup() | CreateInvite() | RevokeInvite():
                return self._deal_of_group.get(command.group_id) or await self._look_up(command.group_id)
            case _:
                return command.deal_id

    async def _look_up(self, group_id: UUID) -> UUID:
        """Which deal a group belongs to: that never changes, so it is asked before any lock."""
        deal_id = await self._looking_up.get(group_id)
        if deal_id is None:
            raise GroupNotFound(group_id)
        self.remember(group_id, deal_id)
        return deal_id

    async def _fetch_deals(self, group_ids: list[UUID]) -> dict[UUID, UUID]:
        return _decode_deals(await fetch_json(self._engine, _DEALS_OF_GROUPS, {"group_ids": group_ids}))

    def _committed(self, committed: Committed) -> None:
        for group in committed.groups:
            self.remember(group.id, group.deal_id)
        self._on_commit(committed)

"""The one way every write goes: commands waiting in this process are decided and committed together.

While one batch commits the next one collects, so a busy process writes many commands per transaction and an idle one
adds no delay. A lane is one such queue; all commands of a deal share a lane, so this process never waits for itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    Command,
    CreateInvite,
    JoinGroup,
    LeaveGroup,
)
from domain.groupbuy.errors import GroupNotFound
from domain.groupbuy.events import Event
from domain.groupbuy.group import Group
from domain.groupbuy.world import Accepted
from infra.batch import Batch, Idempotency, Stored, Waiting, write
from infra.database import has_run_too_long, is_connection_lost, violates
from infra.gathering import Gathering
from infra.held_connection import HeldConnection
from infra.identity.audit import Deed
from infra.loading import Loader
from infra.reading.fetching import fetch_json
from infra.unavailable import DatabaseUnavailable, Overloaded, Unavailable

LANES = 1
GROUP_DEALS_REMEMBERED_MAX = 100_000
KEYS_UNIQUE = "idempotency_keys_pkey"

_DEALS_OF_GROUPS = text(
    "SELECT coalesce(json_object_agg(id, deal_id), '{}')::text FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))"
)
_decode_deals = msgspec.json.Decoder(dict[UUID, UUID]).decode

_log = structlog.get_logger(__name__)

Answer = Accepted | Stored


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction made true: groups in their new state, and every event in order."""

    groups: Sequence[Group]
    events: Sequence[Event]
    now: datetime


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
        queue_max = -(-queue_commands_max // LANES)
        self._lanes = [_Lane(engine, batch_commands_max, queue_max, self._committed, suspended) for _ in range(LANES)]
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
        return self._lanes[hash(deal_id) % LANES].put(Waiting(command, deal_id, idempotency, deed))

    def remember(self, group_id: UUID, deal_id: UUID) -> None:
        """Take note of a group's deal, so that telling a command about it needs no look-up."""
        if len(self._deal_of_group) >= GROUP_DEALS_REMEMBERED_MAX:
            self._deal_of_group.clear()
        self._deal_of_group[group_id] = deal_id

    async def stop(self) -> None:
        """Take no more commands and answer those that wait."""
        self._stopping = True
        for lane in self._lanes:
            await lane.drained()

    async def _deal_of(self, command: Command) -> UUID:
        match command:
            case JoinGroup() | LeaveGroup() | CancelGroup() | CloseGroup() | CreateInvite():
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


class _Lane:
    """One queue and at most one transaction at a time."""

    def __init__(
        self,
        engine: AsyncEngine,
        batch_commands_max: int,
        queue_commands_max: int,
        on_commit: Callable[[Committed], None],
        suspended: Callable[[], frozenset[UUID]],
    ) -> None:
        self._connection = HeldConnection(engine)
        self._loader = Loader()
        self._batch_commands_max = batch_commands_max
        self._queue_commands_max = queue_commands_max
        self._on_commit = on_commit
        self._suspended = suspended
        self._queue: deque[Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None

    def put(self, waiting: Waiting) -> asyncio.Future[Answer]:
        """Queue a command; the future has its answer after the commit."""
        if len(self._queue) >= self._queue_commands_max:
            raise Overloaded
        self._queue.append(waiting)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return waiting.answer

    async def drained(self) -> None:
        """Return when nothing waits."""
        while self._draining is not None:
            await asyncio.shield(self._draining)
        await self._connection.let_go()

    async def _drain(self) -> None:
        try:
            while self._queue:
                size = min(len(self._queue), self._batch_commands_max)
                await self._commit([self._queue.popleft() for _ in range(size)])
        finally:
            self._draining = None

    async def _commit(self, waiting: list[Waiting]) -> None:
        """Write a batch and answer; what only has to be tried anew, and surely is not saved, is tried anew once."""
        batch = Batch(waiting, suspended=self._suspended())
        try:
            try:
                await write(self._connection, self._loader, batch)
            except Exception as error:
                if not _is_passing(error, batch):
                    raise
                batch = Batch(waiting, suspended=self._suspended())
                await write(self._connection, self._loader, batch)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, every waiting caller gets an answer
            await self._failed(waiting, error)
            return
        batch.answer()
        if batch.changes.events:
            self._announce(batch)

    def _announce(self, batch: Batch) -> None:
        """Tell the listener; if it fails the next batch is written all the same."""
        try:
            self._on_commit(Committed(batch.changes.groups_in(batch.world), batch.changes.events, batch.now))
        except Exception:  # noqa: BLE001 - it is logged; callers of the next batch are waiting
            _log.exception("listening_failed")

    async def _failed(self, waiting: list[Waiting], error: Exception) -> None:
        """Commands can spoil a batch only for themselves: it is tried again in parts, unless the database is lost.

        A lock that is held is its deal's, so the parts are deals; of anything else one command is guilty. Commands
        that each waited for the same lock would keep the lane for minutes.
        """
        if is_connection_lost(error) or isinstance(error, OSError | TimeoutError):
            _refuse(waiting, DatabaseUnavailable(), error)
            return
        too_long = has_run_too_long(error)
        parts = _by_deal(waiting) if too_long else [[one] for one in waiting]
        if isinstance(error, NoFreeConnection) or (too_long and len(parts) == 1):
            _refuse(waiting, Overloaded(), error)
        elif len(parts) == 1:
            waiting[0].refuse(error)
        else:
            for part in parts:
                await self._commit(part)


def _refuse(waiting: list[Waiting], unavailable: Unavailable, because: Exception) -> None:
    unavailable.__cause__ = because
    for one in waiting:
        one.refuse(unavailable)


def _by_deal(waiting: list[Waiting]) -> list[list[Waiting]]:
    parts: dict[UUID, list[Waiting]] = {}
    for one in waiting:
        parts.setdefault(one.deal_id, []).append(one)
    return list(parts.values())


def _is_passing(error: Exception, batch: Batch) -> bool:
    """Whether the same batch may do the next time, and surely has done nothing yet.

    The connection was dead before the commit; or an idempotency key, used for another deal at the same moment, was
    stored first: a key is no part of a deal, so no lock was in the way. Now its answer is there to be found.
    """
    return (is_connection_lost(error) and not batch.commit_begun) or violates(error, KEYS_UNIQUE)

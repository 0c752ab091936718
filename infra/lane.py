"""A lane: one queue of commands, written batch by batch in one transaction at a time."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.events import Event
from domain.groupbuy.group import Group
from domain.groupbuy.world import Accepted
from infra.batch import Batch, Stored, Waiting, write
from infra.database import has_run_too_long, is_connection_lost, is_locked_out, violates
from infra.held_connection import HeldConnection
from infra.loading import Loader
from infra.statement import Statement
from infra.unavailable import DatabaseUnavailable, Overloaded, Unavailable

KEYS_UNIQUE = "idempotency_keys_pkey"

_FREE = Statement("""
  SELECT coalesce(json_agg(id), '[]')::text FROM (
    SELECT id FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) FOR UPDATE SKIP LOCKED) AS free""")
_decode_ids = msgspec.json.Decoder(frozenset[UUID]).decode

_log = structlog.get_logger(__name__)

Answer = Accepted | Stored


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction made true: groups in their new state, and every event in order."""

    groups: Sequence[Group]
    events: Sequence[Event]
    now: datetime


class Lane:
    """One queue and at most one transaction at a time.

    `divert` takes away commands that are to wait elsewhere, and so does `on_locked`, with those whose deals somebody
    else keeps locked; without it they are refused. `lock_wait_ms` is how long a lock is waited for, by default as the
    settings say. A lane with `on_lock_had`, which hears whose lock was to be had, takes one deal at once.
    """

    def __init__(  # noqa: PLR0913 - what differs between the common lane and the side lanes
        self,
        engine: AsyncEngine,
        batch_commands_max: int,
        queue_commands_max: int,
        *,
        on_commit: Callable[[Committed], None],
        suspended: Callable[[], frozenset[UUID]],
        lock_wait_ms: int | None = None,
        divert: Callable[[Waiting], bool] | None = None,
        on_locked: Callable[[list[Waiting]], None] | None = None,
        on_lock_had: Callable[[UUID], None] | None = None,
    ) -> None:
        self._connection = HeldConnection(engine, lock_timeout_ms=lock_wait_ms)
        self._divert = divert
        self._on_locked = on_locked
        self._on_lock_had = on_lock_had
        self._loader = Loader()
        self._batch_commands_max = batch_commands_max
        self._queue_commands_max = queue_commands_max
        self._on_commit = on_commit
        self._suspended = suspended
        self._queue: deque[Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None

    def put(self, waiting: Waiting) -> None:
        """Queue a command; its future has the answer after the commit. Raises `Overloaded`."""
        if len(self._queue) >= self._queue_commands_max:
            raise Overloaded
        self._queue.append(waiting)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def drained(self) -> None:
        """Return when nothing waits."""
        while self._draining is not None:
            await asyncio.shield(self._draining)
        await self._connection.let_go()

    async def _drain(self) -> None:
        try:
            while self._queue:
                batch = self._next_batch()
                if batch:
                    await self._commit(batch)
        finally:
            self._draining = None
        if self._on_lock_had is not None:
            await self._connection.let_go()  # a side lane is rarely used

    def _next_batch(self) -> list[Waiting]:
        size = min(len(self._queue), self._batch_commands_max)
        taken = [self._queue.popleft() for _ in range(size)]
        if self._on_lock_had is not None:
            deal_id = taken[0].deal_id
            self._queue.extendleft(one for one in reversed(taken) if one.deal_id != deal_id)
            return [one for one in taken if one.deal_id == deal_id]
        return taken if self._divert is None else [one for one in taken if not self._divert(one)]

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
        if self._on_lock_had is not None:
            self._on_lock_had(waiting[0].deal_id)

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
        if is_locked_out(error) and self._on_locked is not None:
            await self._without_locked(waiting, self._on_locked)
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

    async def _without_locked(self, waiting: list[Waiting], on_locked: Callable[[list[Waiting]], None]) -> None:
        """Go on without the deals that are locked this moment."""
        asked = {"deal_ids": list({one.deal_id for one in waiting})}
        try:
            free = _decode_ids(await self._connection.statement(lambda driver: _FREE.value(driver, asked)))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, OSError, TimeoutError) as error:
            _refuse(waiting, DatabaseUnavailable(), error)
            return
        if len(free) == len(asked["deal_ids"]):
            free = frozenset()  # the lock came free a moment too late; apart it has more time
        on_locked([one for one in waiting if one.deal_id not in free])
        rest = [one for one in waiting if one.deal_id in free]
        if rest:
            await self._commit(rest)


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

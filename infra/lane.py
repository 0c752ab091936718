"""A lane: one queue of commands, written batch by batch in one transaction at a time."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import structlog
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.events import Event
from domain.groupbuy.group import Group
from domain.groupbuy.world import Accepted
from infra.batch import Batch, Stored, Waiting, write
from infra.database import has_run_too_long, is_connection_lost, is_locked_out, violates
from infra.held_connection import HeldConnection
from infra.loading import Loader
from infra.unavailable import DatabaseUnavailable, Overloaded

KEYS_UNIQUE = "idempotency_keys_pkey"

_log = structlog.get_logger(__name__)

Answer = Accepted | Stored


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction made true: groups in their new state, and every event in order."""

    groups: Sequence[Group]
    events: Sequence[Event]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all lanes of a process have: how much goes at once, who hears of commits, whose deals open nothing new."""

    engine: AsyncEngine
    batch_commands_max: int
    on_commit: Callable[[Committed], None]
    suspended: Callable[[], frozenset[UUID]]


class Lane:
    """One queue and at most one transaction at a time.

    Kinds of lanes differ in what goes into the next batch, in what becomes of commands whose deals somebody else keeps
    locked, and in what follows a batch that was written.
    """

    keeps_connection: ClassVar[bool] = True
    """Whether it keeps its connection while nothing waits."""

    def __init__(self, shared: Shared, queue_commands_max: int, *, lock_wait_ms: int | None = None) -> None:
        """A lane that waits for a lock for `lock_wait_ms`, by default as the settings say."""
        self._shared = shared
        self._queue_commands_max = queue_commands_max
        self._connection = HeldConnection(shared.engine, lock_timeout_ms=lock_wait_ms)
        self._loader = Loader()
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
        """Return when nothing waits and the connection is given back."""
        while self._draining is not None:
            await asyncio.shield(self._draining)
        await self._connection.let_go()

    def _next_batch(self) -> list[Waiting]:
        """Take from the queue what is written next; there is something in it."""
        size = min(len(self._queue), self._shared.batch_commands_max)
        return [self._queue.popleft() for _ in range(size)]

    async def _locked_out(self, waiting: list[Waiting]) -> list[Waiting]:
        """Some of their deals somebody else keeps locked; answers for whom nothing is done about that."""
        return waiting

    def _written(self, waiting: list[Waiting]) -> None:
        """They are written, so the locks were to be had."""

    async def _drain(self) -> None:
        try:
            while self._queue:
                batch = self._next_batch()
                if batch:
                    await self._commit(batch)
                if not (self._queue or self.keeps_connection):
                    await self._connection.let_go()
        finally:
            self._draining = None

    async def _commit(self, waiting: list[Waiting]) -> None:
        """Write a batch and answer; what only has to be tried anew, and surely is not saved, is tried anew once."""
        try:
            batch = Batch(waiting, suspended=self._shared.suspended())
            try:
                await write(self._connection, self._loader, batch)
            except Exception as error:
                if not _is_passing(error, batch):
                    raise
                batch = Batch(waiting, suspended=self._shared.suspended())
                await write(self._connection, self._loader, batch)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, every waiting caller gets an answer
            await self._failed(waiting, error)
            return
        batch.answer()
        if batch.changes.events:
            self._announce(batch)
        self._written(waiting)

    def _announce(self, batch: Batch) -> None:
        """Tell the listener; if it fails the next batch is written all the same."""
        try:
            self._shared.on_commit(Committed(batch.changes.groups_in(batch.world), batch.changes.events, batch.now))
        except Exception:  # noqa: BLE001 - it is logged; callers of the next batch are waiting
            _log.exception("listening_failed")

    async def _failed(self, waiting: list[Waiting], error: Exception) -> None:
        """Try in parts what fails together but perhaps not apart; of all else the callers are told."""
        try:
            parts = _parts(waiting, error)
            if is_locked_out(error):
                _refuse(await self._locked_out(waiting), error)
            elif len(parts) == 1:
                _refuse(waiting, error)
            else:
                for part in parts:
                    await self._commit(part)
        except Exception as another:  # noqa: BLE001 - whatever went wrong, every waiting caller gets an answer
            _refuse(waiting, another)


def _parts(waiting: list[Waiting], error: Exception) -> list[list[Waiting]]:
    """Commands can spoil a batch only for themselves.

    If it took too long, all about one deal stay together: each by itself they would keep the lane for minutes.
    """
    if is_connection_lost(error) or isinstance(error, NoFreeConnection):
        return [waiting]
    if has_run_too_long(error):
        return _by_deal(waiting)
    return [[one] for one in waiting]


def _by_deal(waiting: list[Waiting]) -> list[list[Waiting]]:
    parts: dict[UUID, list[Waiting]] = {}
    for one in waiting:
        parts.setdefault(one.deal_id, []).append(one)
    return list(parts.values())


def _refuse(waiting: list[Waiting], because: Exception) -> None:
    told = because
    if is_connection_lost(because):
        told = DatabaseUnavailable()
    elif has_run_too_long(because) or isinstance(because, NoFreeConnection):
        told = Overloaded()
    if told is not because:
        told.__cause__ = because
    for one in waiting:
        one.refuse(told)


def _is_passing(error: Exception, batch: Batch) -> bool:
    """Whether the same batch may do the next time, and surely has done nothing yet.

    The connection was dead before the commit; or an idempotency key, used for another deal at the same moment, was
    stored first: a key is no part of a deal, so no lock was in the way. Now its answer is there to be found.
    """
    return (is_connection_lost(error) and not batch.commit_begun) or violates(error, KEYS_UNIQUE)

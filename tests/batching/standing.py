"""Ways to make a batch stand still in the middle of its transaction, and to see that it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from tests.batching.conftest import APPLICATION
from tests.waiting import eventually

_WAITING = """
  SELECT pid FROM pg_stat_activity
  WHERE application_name = $1 AND datname = current_database() AND wait_event_type = 'Lock'"""
_COMMIT_GATE = """
  CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate();
"""


@asynccontextmanager
async def deal_locked(database: asyncpg.Connection, deal_id: UUID) -> AsyncIterator[None]:
    """Nobody else writes this deal within."""
    async with database.transaction():
        await database.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deal_id)
        yield


@asynccontextmanager
async def groups_locked(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Nobody else reads groups within."""
    async with database.transaction():
        await database.execute("LOCK TABLE groups IN ACCESS EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def commits_held(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Every commit begins and stands still within: a deferred trigger waits for a lock that is ours."""
    await database.execute(_COMMIT_GATE)
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock(4711)")
        yield


async def standing(database: asyncpg.Connection, count: int = 1) -> list[int]:
    """The server processes of the batchers that wait for a lock, as soon as there are so many."""

    async def waiting() -> list[int]:
        await database.execute("SELECT pg_stat_clear_snapshot()")  # a transaction of ours sees activity as it was first
        pids = [row["pid"] for row in await database.fetch(_WAITING, APPLICATION)]
        return pids if len(pids) == count else []

    return await eventually(waiting, f"{count} transactions wait for a lock")


async def cut(database: asyncpg.Connection, pids: list[int]) -> None:
    """End these server processes, as a crash or an administrator would."""
    for pid in pids:
        assert await database.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


async def cut_all(database: asyncpg.Connection) -> None:
    """End all the batchers' server processes; they are idle."""
    rows = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()", APPLICATION
    )
    assert rows
    await cut(database, [row["pid"] for row in rows])

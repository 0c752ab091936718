"""Who does which duty: advisory locks of PostgreSQL on one connection, so that a process that dies gives up its duties.

Workers come first: while one is there, an API process that stands by holds nothing. A holder that has not been heard
of for a while (a frozen process, a machine that lost its power) is cut off by whoever would do its work.
Leadership only spares work: duties are safe when two processes do them at once.
"""

import asyncio
from collections.abc import Iterable

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.database import make_engine
from infra.settings import Settings
from workers.duty import Outages

LOCKS_OF_TUAN = 0x7475616E
A_WORKER_IS_HERE = 0
LOOK_EVERY_S = 0.25
ANSWER_WITHIN_S = 2.0
SILENT_FOR_S_MAX = 1.5
LOOKS_PER_CUT = 2

_SAY_A_WORKER_IS_HERE = text("SELECT pg_try_advisory_lock_shared(:locks, :number)")
_TAKE = text("SELECT number FROM unnest(CAST(:numbers AS int[])) AS number WHERE pg_try_advisory_lock(:locks, number)")
_GIVE_BACK = text("SELECT pg_advisory_unlock(:locks, number) FROM unnest(CAST(:numbers AS int[])) AS number")
_IS_A_WORKER_HERE = text("""
  SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 2 AND granted
      AND classid = :locks AND objid = :number)""")
_CUT_OFF_THE_SILENT = text("""
  SELECT DISTINCT pg_stat_activity.pid, pg_terminate_backend(pg_stat_activity.pid)
  FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 2 AND granted AND classid = :locks
    AND state = 'idle' AND state_change < clock_timestamp() - make_interval(secs => :silent_s)
    AND pid <> pg_backend_pid()""")

_log = structlog.get_logger(__name__)


class Leadership:
    """The duties this process leads, by number."""

    def __init__(self, settings: Settings, numbers: Iterable[int], *, is_worker: bool) -> None:
        name = "tuan worker leading" if is_worker else "tuan api standing by"
        self._engine = make_engine(settings, name, connections_max=1).execution_options(isolation_level="AUTOCOMMIT")
        self._is_worker = is_worker
        self._connection: AsyncConnection | None = None
        self._looks = 0
        self._leads = {number: asyncio.Event() for number in numbers}

    def leads(self, number: int) -> bool:
        """Whether this process leads the duty."""
        return self._leads[number].is_set()

    async def led(self, number: int) -> None:
        """Return when this process leads the duty."""
        await self._leads[number].wait()

    async def run(self) -> None:
        """Take, keep and give back the locks, until cancelled."""
        outages = Outages("leading")
        try:
            while True:
                try:
                    async with asyncio.timeout(ANSWER_WITHIN_S):
                        await self._look()
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    outages.failed(error)
                    await self._drop()
                else:
                    outages.over()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._drop()
            await self._engine.dispose()

    async def _look(self) -> None:
        connection = await self._connected()
        if not self._is_worker and await self._is_a_worker_here(connection):
            await self._give_back(connection)
            return
        wanted = [number for number, led in self._leads.items() if not led.is_set()]
        taken = await connection.execute(_TAKE, {"locks": LOCKS_OF_TUAN, "numbers": wanted})
        for number in taken.scalars():
            self._leads[number].set()
        if any(not led.is_set() for led in self._leads.values()):
            await self._cut_off_the_silent(connection)

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._engine.connect()
            if self._is_worker:
                await self._connection.execute(
                    _SAY_A_WORKER_IS_HERE, {"locks": LOCKS_OF_TUAN, "number": A_WORKER_IS_HERE}
                )
        return self._connection

    async def _is_a_worker_here(self, connection: AsyncConnection) -> bool:
        parameters = {"locks": LOCKS_OF_TUAN, "number": A_WORKER_IS_HERE}
        is_here = bool((await connection.execute(_IS_A_WORKER_HERE, parameters)).scalar_one())
        if is_here:
            await self._cut_off_the_silent(connection)
        return is_here

    async def _give_back(self, connection: AsyncConnection) -> None:
        held = [number for number, led in self._leads.items() if led.is_set()]
        if held:
            await connection.execute(_GIVE_BACK, {"locks": LOCKS_OF_TUAN, "numbers": held})
            self._lead_nothing()

    async def _cut_off_the_silent(self, connection: AsyncConnection) -> None:
        self._looks += 1
        if self._looks % LOOKS_PER_CUT:
            return
        parameters = {"locks": LOCKS_OF_TUAN, "silent_s": SILENT_FOR_S_MAX}
        for process_id, _ in await connection.execute(_CUT_OFF_THE_SILENT, parameters):
            _log.warning("silent_leader_cut_off", postgres_process_id=process_id)

    async def _drop(self) -> None:
        """Forget the connection, and with it the locks: PostgreSQL frees them when it closes."""
        self._lead_nothing()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    await connection.invalidate()
                    await connection.close()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.debug("leadership_connection_broken", error=str(error))

    def _lead_nothing(self) -> None:
        for led in self._leads.values():
            led.clear()

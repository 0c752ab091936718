"""A lane's own connection: kept from batch to batch, replaced when it has died."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.statement import Bound

Result = TypeVar("Result")


class HeldConnection:
    """One connection of an engine's pool, held for as long as it works and used without SQLAlchemy."""

    def __init__(self, engine: AsyncEngine, *, lock_timeout_ms: int | None = None) -> None:
        self._engine = engine
        self._lock_timeout_ms = lock_timeout_ms
        self._held: AsyncConnection | None = None
        self._driver: Any = None
        self._prepared: set[str] = set()

    async def transaction(
        self,
        work: Callable[[Any], Awaitable[list[Bound]]],
        *,
        first: Iterable[Bound] = (),
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Do work on the asyncpg connection and commit; what it raises rolls back and goes on to the caller.

        `first` travels with BEGIN, and what `work` answers with COMMIT: each is one round trip, and PostgreSQL waits
        for nobody in between; only what is private, and what is new to the connection, goes by itself.
        `before_commit` is called before the last one: a connection that is lost after it does not say whether all is
        saved; any error PostgreSQL answers says that nothing is.
        """
        driver = await self._connected()
        try:
            try:
                begin = [await self._prepared_command(driver, one) for one in first]
                await self._run(driver, "BEGIN", *begin)
                await self._write(driver, await work(driver), before_commit)
            except asyncpg.PostgresError:
                if not driver.is_closed() and driver.is_in_transaction():
                    await self._run(driver, "ROLLBACK")
                raise
        except asyncpg.PostgresError:
            if driver.is_closed():
                await self.let_go()
            raise
        except BaseException:
            await self.let_go()
            raise

    async def statement(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Do one statement on the asyncpg connection; it is its own transaction."""
        driver = await self._connected()
        try:
            return await work(driver)
        except asyncpg.PostgresError:
            if driver.is_closed():
                await self.let_go()
            raise
        except BaseException:
            await self.let_go()
            raise

    async def let_go(self) -> None:
        """Close the connection; the next transaction makes a new one."""
        held, self._held, self._driver = self._held, None, None
        self._prepared.clear()
        if held is not None:
            await held.invalidate()
            await held.close()

    async def _write(self, driver: Any, statements: Iterable[Bound], before_commit: Callable[[], None]) -> None:  # noqa: ANN401  asyncpg ships no types
        """Run these in order and commit, in one message but for what is private."""
        commands: list[str] = []
        for one in statements:
            if one.is_private:
                if commands:
                    await self._run(driver, *commands)
                    commands.clear()
                await one.statement.value(driver, one.parameters)
            else:
                commands.append(await self._prepared_command(driver, one))
        before_commit()
        await self._run(driver, *commands, "COMMIT")

    async def _prepared_command(self, driver: Any, one: Bound) -> str:  # noqa: ANN401  asyncpg ships no types
        """The command for a statement; one that is new to the connection is prepared."""
        if one.statement.name not in self._prepared:
            await driver.execute(one.statement.preparing)
            self._prepared.add(one.statement.name)
        return one.statement.executing(one.parameters)

    async def _run(self, driver: Any, *commands: str) -> None:  # noqa: ANN401  asyncpg ships no types
        await driver.execute(";".join(commands))

    async def _connected(self) -> Any:  # noqa: ANN401  asyncpg ships no types
        if self._driver is None or self._driver.is_closed():
            await self.let_go()
            self._held = await self._engine.connect()
            driver: Any = (await self._held.get_raw_connection()).driver_connection
            if self._lock_timeout_ms is not None:  # the pool never gets this connection back
                await driver.execute(f"SET lock_timeout = {self._lock_timeout_ms}")
            self._driver = driver  # not before: one that is not set up is replaced
        return self._driver

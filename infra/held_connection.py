"""A lane's own connection: kept from batch to batch, replaced when it has died."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Result = TypeVar("Result")


class HeldConnection:
    """One connection of an engine's pool, held for as long as it works and used without SQLAlchemy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._held: AsyncConnection | None = None
        self._driver: Any = None

    async def transaction(self, work: Callable[[Any], Awaitable[None]], before_commit: Callable[[], None]) -> None:
        """Do work on the asyncpg connection, then commit; what it raises rolls back and goes on to the caller.

        `before_commit` is called when only the commit is left: an error after it does not say whether all is saved.
        """
        driver = await self._connected()
        transaction = driver.transaction()
        try:
            await transaction.start()
            try:
                await work(driver)
            except asyncpg.PostgresError:
                await transaction.rollback()
                raise
            before_commit()
            await transaction.commit()
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
        if held is not None:
            await held.invalidate()
            await held.close()

    async def _connected(self) -> Any:  # noqa: ANN401  asyncpg ships no types
        if self._driver is None or self._driver.is_closed():
            await self.let_go()
            self._held = await self._engine.connect()
            self._driver = (await self._held.get_raw_connection()).driver_connection
        return self._driver

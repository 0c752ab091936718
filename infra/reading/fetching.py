"""Running one statement that may be run again, and what its failure means to whoever asked."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import has_run_too_long, is_connection_lost
from infra.unavailable import DatabaseUnavailable, Overloaded

ATTEMPTS_MAX = 2
"""A pooled connection may turn out dead after PostgreSQL was away; asking again harms nobody."""


async def fetch_json(
    engine: AsyncEngine, statement: Executable, parameters: Mapping[str, object] = MappingProxyType({})
) -> str:
    """The one JSON text a statement answers with.

    Raises `DatabaseUnavailable` when PostgreSQL cannot be reached and `Overloaded` when it has no time for us.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return await _fetch(engine, statement, parameters)
        except NoFreeConnection as error:
            raise Overloaded from error
        except (DBAPIError, OSError) as error:
            if has_run_too_long(error):
                raise Overloaded from error
            if not is_connection_lost(error):
                raise
            if attempt == ATTEMPTS_MAX or isinstance(error, TimeoutError):
                raise DatabaseUnavailable from error
    raise DatabaseUnavailable


async def _fetch(engine: AsyncEngine, statement: Executable, parameters: Mapping[str, object]) -> str:
    async with engine.connect() as plain:
        # one statement is its own transaction: BEGIN and ROLLBACK would be two more ways to the server and back
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        document: str = (await connection.execute(statement, parameters)).scalar_one()
        return document

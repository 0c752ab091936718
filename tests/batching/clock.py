"""A clock of the database's own that stands where a test puts it, in the place of PostgreSQL's."""

from datetime import datetime

import asyncpg

SEARCH_PATH = {"search_path": "standing_clock, pg_catalog, public"}
"""Server settings of connections that find the standing `clock_timestamp()` before PostgreSQL's own."""

_SET_UP = """
  CREATE SCHEMA standing_clock;
  CREATE TABLE standing_clock.moment (at timestamptz NOT NULL);
  INSERT INTO standing_clock.moment VALUES (now());
  CREATE FUNCTION standing_clock.clock_timestamp() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS 'SELECT at FROM standing_clock.moment';
"""


async def set_up_clock(connection: asyncpg.Connection) -> None:
    """Give this database a clock that stands still."""
    await connection.execute(_SET_UP)


async def set_clock(connection: asyncpg.Connection, now: datetime) -> None:
    """Put the clock at a moment; who asks next reads that."""
    await connection.execute("UPDATE standing_clock.moment SET at = $1", now)

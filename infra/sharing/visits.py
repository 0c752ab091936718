"""Visits: how many people opened a link on a day, kept so that nobody can be found in it (docs/decisions/0022).

A visitor is a hash of the address and the browser, keyed with a salt that all processes share for a day and nobody has
two days later. Visits wait in the process and are written together once a second. They are a statistic: a process that
is killed loses a second of them, and beyond `WAITING_MAX` they are not counted.
"""

import asyncio
import secrets
from collections import Counter
from contextlib import suppress
from datetime import date
from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import BigInteger, LargeBinary, Text

from domain.sharing.attribution import is_preview
from infra.database import is_connection_lost

FLUSH_EVERY_S: Final = 1.0
LAST_FLUSH_S: Final = 5.0
WAITING_MAX: Final = 10_000
BROWSERS: Final = 256
"""An address is at most so many visitors of a link a day, whatever its browsers call themselves."""
SALT_BYTES: Final = 32
VISITOR_BYTES: Final = 16
_NEVER_WRITTEN: Final = frozenset({"22", "23"})
"""Classes of SQLSTATE for values and rows that PostgreSQL does not take, however often they are sent."""

_TODAYS_SALT = text("SELECT day, salt FROM visit_salts WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date")
_OFFER_SALT = text("""
  INSERT INTO visit_salts (day, salt) VALUES ((clock_timestamp() AT TIME ZONE 'UTC')::date, :salt)
  ON CONFLICT DO NOTHING""")
# Everything in the order of codes, so that processes that count the same links wait for each other one way only.
_COUNT = text("""
  WITH known AS MATERIALIZED (
    SELECT code, visitor FROM unnest(:codes, :visitors) AS told (code, visitor)
    WHERE EXISTS (SELECT FROM invites WHERE invites.code = told.code) ORDER BY code, visitor
  ), new AS (
    INSERT INTO visitors (day, code, visitor) SELECT CAST(:day AS date), code, visitor FROM known
    ON CONFLICT DO NOTHING RETURNING code
  ), counted AS (
    SELECT code, count(*) AS people, 0 AS previews FROM new GROUP BY code
    UNION ALL
    SELECT code, 0, previews FROM unnest(:preview_codes, :previews) AS told (code, previews)
    WHERE EXISTS (SELECT FROM invites WHERE invites.code = told.code)
  )
  INSERT INTO visits AS had (code, day, people, previews)
  SELECT code, CAST(:day AS date), sum(people), sum(previews) FROM counted GROUP BY code ORDER BY code
  ON CONFLICT (code, day) DO UPDATE
  SET people = had.people + excluded.people, previews = had.previews + excluded.previews
""").bindparams(
    bindparam("codes", type_=ARRAY(Text)),
    bindparam("visitors", type_=ARRAY(LargeBinary)),
    bindparam("preview_codes", type_=ARRAY(Text)),
    bindparam("previews", type_=ARRAY(BigInteger)),
)

_log = structlog.get_logger(__name__)


class _Visit(NamedTuple):
    """Somebody opened a link with one of `BROWSERS` sorts of browsers; in memory for a second, never written."""

    code: str
    address: str
    browser: int


class Visits:
    """Takes note of who opens links, and writes down how many did."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._visits: dict[_Visit, None] = {}
        self._previews: Counter[str] = Counter()
        self._being_written = 0
        self._not_counted = 0

    def note(self, code: str, address: str, user_agent: str | None) -> None:
        """Somebody at this address opened this link with this browser, or a chat fetched it for a preview."""
        if self._being_written + len(self._visits) + len(self._previews) >= WAITING_MAX:  # both wait on if that fails
            self._not_counted += 1
        elif is_preview(user_agent):
            self._previews[code] += 1
        else:
            self._visits[_Visit(code, address, _browser(user_agent or ""))] = None

    async def flush(self) -> None:
        """Write down what waits. While PostgreSQL does not take it, it waits on, to be counted as if it came then."""
        visits, previews = self._visits, self._previews
        if not visits and not previews:
            return
        self._visits, self._previews = {}, Counter()
        self._being_written = len(visits) + len(previews)
        try:
            async with self._engine.begin() as connection:
                await _write(connection, list(visits), previews)
        except BaseException as error:
            if _is_never_written(error):
                self._not_counted += len(visits) + previews.total()  # they would spoil what comes with them for ever
            else:
                self._visits = visits | self._visits
                self._previews = previews + self._previews
            raise
        finally:
            self._being_written = 0
        if self._not_counted:
            _log.warning("visits_not_counted", visits=self._not_counted)
            self._not_counted = 0

    async def run(self) -> None:
        """Flush again and again, until cancelled; while PostgreSQL is away visits wait."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self._try_to_flush()

    async def stop(self) -> None:
        """Write down the last ones, if that goes quickly."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_FLUSH_S):
                await self._try_to_flush()
        if lost := self._not_counted + len(self._visits) + self._previews.total():
            _log.warning("visits_not_counted", visits=lost)

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.debug("visits_wait", why=type(error).__name__)  # its text would say who came


def _is_never_written(error: BaseException) -> bool:
    """Whether it is the visits' own fault, and not that PostgreSQL is away, starting, busy or a standby for now."""
    if not isinstance(error, DBAPIError) or is_connection_lost(error):
        return False
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in _NEVER_WRITTEN  # without one it is the driver that could not send them


async def _write(connection: AsyncConnection, visits: list[_Visit], previews: Counter[str]) -> None:
    day, salt = await _todays_salt(connection)
    counted = {
        "day": day,
        "codes": [visit.code for visit in visits],
        "visitors": [_visitor(salt, visit) for visit in visits],
        "preview_codes": list(previews),
        "previews": list(previews.values()),
    }
    await connection.execute(_COUNT, counted)


async def _todays_salt(connection: AsyncConnection) -> tuple[date, bytes]:
    """The day by the database's clock and its salt, made by whoever comes first."""
    while True:
        found = (await connection.execute(_TODAYS_SALT)).one_or_none()
        if found is not None:
            return found.day, found.salt
        await connection.execute(_OFFER_SALT, {"salt": secrets.token_bytes(SALT_BYTES)})


def _browser(user_agent: str) -> int:
    return crc32(user_agent.encode("utf-8", "surrogatepass")) % BROWSERS


def _visitor(salt: bytes, visit: _Visit) -> bytes:
    """A hash that is another for each link, so that nobody is followed from one to the next."""
    said = "\0".join(map(str, visit))
    return blake2b(said.encode("utf-8", "surrogatepass"), key=salt, digest_size=VISITOR_BYTES).digest()

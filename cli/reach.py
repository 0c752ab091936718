"""Looking before starting: whether PostgreSQL and Redis answer, the port is free, and no secret is missing."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from infra.cannot_start import NotMigrated, PortBusy, ServerMissing, WrongSetting
from infra.schema_version import head_revision
from infra.settings import Settings
from infra.settings_values import shown

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

Found = TypeVar("Found")

ANSWER_LIMIT_S = 5
OLDEST_POSTGRES = 15
_FACTS = "SELECT current_setting('server_version_num')::int / 10000, to_regclass('alembic_version') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Database:
    """What a look at the database showed; no revision means no tables."""

    revision: str | None
    is_empty: bool


def reach_database(settings: Settings) -> Database:
    """Raises ServerMissing when PostgreSQL does not answer or is too old, NotMigrated when its tables are too new."""
    database = _reach(settings)
    newest = head_revision() or ""
    if database.revision is not None and database.revision > newest:
        raise NotMigrated(
            f"The database is at revision {database.revision}, which this program does not know (it knows {newest}): "
            "run the newer Tuan that made it, or set DATABASE_URL to another database."
        )
    return database


def reach_migrated_database(settings: Settings) -> Database:
    """Raises ServerMissing, or NotMigrated when the tables are not those of this program."""
    database = reach_database(settings)
    if database.revision != head_revision():
        raise NotMigrated(
            f"The database is at revision {database.revision}, this program needs {head_revision()}: "
            "run `tuan migrate`."
        )
    return database


def ask_database(settings: Settings, work: "Callable[[AsyncEngine], Awaitable[Found]]") -> Found:
    """What `work` answers on a connection of its own; raises as `reach_migrated_database`."""
    from infra.database import make_engine

    async def run() -> Found:
        engine = make_engine(settings, "tuan command", connections_max=1)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    reach_migrated_database(settings)
    return asyncio.run(run())


def redis_trouble(settings: Settings) -> str | None:
    """Why Redis does not answer, as a line for a person; None when it does."""
    from redis import Redis, RedisError

    client = Redis.from_url(settings.redis_url, socket_timeout=ANSWER_LIMIT_S, socket_connect_timeout=ANSWER_LIMIT_S)
    try:
        client.ping()
    except (OSError, ValueError, RedisError) as error:
        why = str(error).split("\n", maxsplit=1)[0].rstrip(".")
        return f"Redis does not answer at {shown(settings.redis_url)}: {why}"
    finally:
        client.close()
    return None


def require_gateways(settings: Settings) -> None:
    """Raises WrongSetting or BadKey for what settings name and do not bring along: before any process is started."""
    from infra.identity.codes import given_key
    from infra.identity.evidence import Vouching
    from infra.messages.gateways import open_messages
    from infra.payments.gateways import NONE, Gateways
    from infra.push.gateways import open_pushes
    from infra.redis_client import make_redis
    from infra.sharing.wechat_js import WeChatJs

    async def open_all() -> None:
        async with AsyncExitStack() as closing:
            redis, gateways = make_redis(settings), Gateways(settings)
            closing.push_async_callback(redis.aclose)
            closing.push_async_callback(gateways.close)
            closing.push_async_callback(Vouching(settings).close)
            messages = open_messages(settings, redis)
            closing.push_async_callback(messages.close)
            closing.push_async_callback(open_pushes(settings, messages.console).close)
            closing.push_async_callback(WeChatJs(settings, redis).close)
            if settings.payment_gateway != NONE:
                gateways.get(settings.payment_gateway)

    given_key(settings)
    asyncio.run(open_all())


def require_free_port(settings: Settings) -> str:
    """The IP address to listen on; raises PortBusy or WrongSetting."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise WrongSetting(f"TUAN_HOST is {shown(settings.host)}, which names no address: {error.strerror}.") from error
    with socket.socket(family, kind) as probe:
        # Without SO_REUSEPORT, which the API's own sockets have: so a second API is noticed too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _port_refused(settings, error) from error
    return str(address[0])


def _reach(settings: Settings) -> Database:
    try:
        return asyncio.run(asyncio.wait_for(_look(settings.database_url), ANSWER_LIMIT_S))
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if settings.database_is_embedded:
            raise ServerMissing(
                f"No PostgreSQL runs in {settings.data_dir}: start it with `make run` or `tuan run`, "
                "or set DATABASE_URL to a server of yours."
            ) from error
        why = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise ServerMissing(
            f"PostgreSQL does not answer at {shown(settings.database_url)}: {why}; check DATABASE_URL."
        ) from error


def _port_refused(settings: Settings, error: OSError) -> PortBusy:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return PortBusy(f"Another program listens on {where}; stop it or set TUAN_PORT to a free port.")
    if error.errno == errno.EACCES:
        return PortBusy(f"This user may not listen on {where}; set TUAN_PORT to 1024 or above.")
    return PortBusy(f"Cannot listen on {where}: {error.strerror}; check TUAN_HOST.")


async def _look(database_url: str) -> Database:
    connection = await asyncpg.connect(database_url)
    try:
        version, has_revision = await connection.fetchrow(_FACTS)
        if version < OLDEST_POSTGRES:
            raise ServerMissing(f"This is PostgreSQL {version}; Tuan needs {OLDEST_POSTGRES} or later.")
        if not has_revision:
            return Database(None, is_empty=True)
        revision = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
        has_deals = await connection.fetchval("SELECT to_regclass('deals') IS NOT NULL")
        is_empty = not has_deals or not await connection.fetchval("SELECT EXISTS (SELECT FROM deals)")
        return Database(revision, is_empty)
    finally:
        await connection.close()

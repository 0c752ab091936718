"""The way to PostgreSQL: a bounded pool of asyncpg connections whose statements and lock waits end in time."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from infra.settings import Settings

CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 5
IDLE_IN_TRANSACTION_MS = 30_000
# The server ends a statement first; the client's own clock is for a server that is gone without a word.
CLIENT_GRACE_S = 2


ALWAYS_BY_INDEX: Mapping[str, str] = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",  # the one plan there is: making it anew takes longer than using it
}
WRITES: Mapping[str, str] = {
    **ALWAYS_BY_INDEX,
    # A process that is frozen in the middle of a batch keeps deals locked no longer than this; a second is too short,
    # as one that is only starved of its processor may take that long.
    "idle_in_transaction_session_timeout": "5000",
}
"""For connections whose every statement names its rows by key: a plan made while a table was still empty is kept for as
long as the connection lives, so it must not be a scan."""


def make_engine(
    settings: Settings,
    application: str = "tuan",
    *,
    connections_max: int | None = None,
    planner: Mapping[str, str] = MappingProxyType({}),
) -> AsyncEngine:
    """An engine of at most `connections_max` connections; `application` is what pg_stat_activity shows."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connector(settings, application, planner),
        pool_size=connections_max or settings.database_connections_max,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_use_lifo=True,  # a quiet process keeps few connections warm
        json_serializer=_json_text,
        json_deserializer=msgspec.json.decode,
    )


def _connector(settings: Settings, application: str, planner: Mapping[str, str]) -> Callable[[], Awaitable[Any]]:
    """Connect with the address as given: asyncpg reads sockets, several hosts and `sslmode` from it, as libpq does."""
    server_settings = {
        "application_name": application,
        "lock_timeout": str(settings.lock_timeout_ms),
        "statement_timeout": str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        "timezone": "UTC",
        "standard_conforming_strings": "on",  # as it is by default: infra/statement.py writes literals
        "jit": "off",  # our statements are short: compiling them costs more than running them
        **planner,
    }

    async def connect() -> Any:  # noqa: ANN401  asyncpg ships no types
        return await asyncpg.connect(
            settings.database_url,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=settings.statement_timeout_ms / 1000 + CLIENT_GRACE_S,
            server_settings=server_settings,
        )

    return connect


def _json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def is_connection_lost(error: BaseException) -> bool:
    """Whether an error means that the server or the way to it is gone, not that the statement was wrong."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _says_unavailable(error.orig)
    if isinstance(error, ValueError):  # asyncpg's word for a parameter that fits no column
        return False
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError) or _says_unavailable(error)


def is_locked_out(error: BaseException) -> bool:
    """Whether an error means that somebody else kept a lock for longer than we wait (SQLSTATE 55P03)."""
    return getattr(error, "sqlstate", None) == "55P03"


def has_run_too_long(error: BaseException) -> bool:
    """Whether an error means that a lock (SQLSTATE 55P03) or a statement (57014) took longer than its limit."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said, "sqlstate", None) in {"55P03", "57014"}


def violates(error: BaseException, constraint: str) -> bool:
    """Whether an error means that this constraint refused a row."""
    return isinstance(error, asyncpg.IntegrityConstraintViolationError) and error.constraint_name == constraint


def _says_unavailable(error: BaseException | None) -> bool:
    """SQLSTATE classes 08 (connection), 53 (resources) and 57P (server going down, starting or not yet there)."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return state[:2] in {"08", "53"} or state[:3] == "57P"

"""Signing in by code, and refreshing, beside an authenticated write that does nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import msgspec
import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.figures import Figure, Wanted
from benchmarks.offers import open_groups
from benchmarks.rounds import ROUND_S, WARM_UP_S, Load, compare, nothing_written
from benchmarks.stack import Stack
from benchmarks.wrk import Request
from cli.crew import in_parallel
from infra.database import make_engine
from infra.identity.codes import Channel, Codes, Recipient
from infra.identity.refresh_tokens import hash_of, new_token
from infra.ids import new_id

BY_CODE = Wanted(0.04, 0.06)
REFRESHING = Wanted(0.06, 0.1)
# More than can be answered in a round: each is of use once.
BODIES_PER_ROUND = ROUND_S * 1_500
CONNECTIONS = 8
LOAD = Load(connections=16)

_OPEN = text("""
  WITH opened AS (
    INSERT INTO accounts (id, status) SELECT id, 'full' FROM unnest(CAST(:ids AS uuid[])) AS id
  ), begun AS (
    INSERT INTO sessions (id, account_id, expires_at)
    SELECT id, id, clock_timestamp() + interval '90 days' FROM unnest(CAST(:ids AS uuid[])) AS id
  )
  INSERT INTO refresh_tokens (token_hash, session_id)
  SELECT token_hash, id FROM unnest(CAST(:hashes AS bytea[]), CAST(:ids AS uuid[])) AS given (token_hash, id)""")

_phones = (f"+4479{number:08}" for number in count(11_100_000))


def by_code(stack: Stack) -> Figure:
    """People nobody knew send the code they were sent: an account, a session and its tokens each."""
    return _compared(stack, "signing in by code / authenticated no-op", BY_CODE, "/v1/sign-in/code", _with_codes)


def refreshing(stack: Stack) -> Figure:
    """Phones send the refresh token they have for the next one."""
    what = "refreshing a session / authenticated no-op"
    return _compared(stack, what, REFRESHING, "/v1/sign-in/refresh", _with_refresh_tokens)


def _compared(
    stack: Stack, what: str, wanted: Wanted, path: str, making: Callable[..., Awaitable[list[str]]]
) -> Figure:
    nothing = nothing_written(open_groups(stack.settings)[0].path)

    def asking() -> Request:
        bodies = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_made(stack, making))
        return Request("POST", (path,), bodies=tuple(bodies), anonymous=True)

    for request in (nothing, asking()):
        stack.wrk.run(request, WARM_UP_S)
    return compare(stack, what, wanted, asking, lambda: nothing, load=LOAD)


async def _made(stack: Stack, making: Callable[..., Awaitable[list[str]]]) -> list[str]:
    engine = make_engine(stack.settings, "benchmark", connections_max=CONNECTIONS)
    try:
        return await making(stack, engine)
    finally:
        await engine.dispose()


async def _with_codes(stack: Stack, engine: AsyncEngine) -> list[str]:
    codes, bodies = Codes(stack.settings, engine), list[str]()

    async def make(phone: str) -> None:
        code = await codes.make(Recipient(Channel.PHONE, phone))
        bodies.append(msgspec.json.encode({"phone": phone, "code": code}).decode())

    await in_parallel(_next(BODIES_PER_ROUND), CONNECTIONS, make)
    return bodies


async def _with_refresh_tokens(_: Stack, engine: AsyncEngine) -> list[str]:
    tokens = [new_token() for _ in range(BODIES_PER_ROUND)]
    opening = {"ids": [new_id() for _ in tokens], "hashes": [hash_of(token) for token in tokens]}
    async with engine.begin() as connection:
        await connection.execute(_OPEN, opening)
    return [msgspec.json.encode({"refresh_token": token}).decode() for token in tokens]


def _next(number: int) -> Iterator[str]:
    return (phone for phone, _ in zip(_phones, range(number), strict=False))

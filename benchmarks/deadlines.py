"""How long after its own deadline a single group is closed, and how long until whoever watches it sees so."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.caller import Caller
from benchmarks.cannot_measure import CannotMeasure
from benchmarks.figures import Figure, Spread, Wanted, percentile
from benchmarks.offers import Opened, open_groups
from benchmarks.shoppers import token_for_one
from benchmarks.stack import Stack
from benchmarks.streams import Stream

GROUPS = 250
LIFETIME_S = 12
# Opened one after the other, so that their deadlines come one after the other.
OPEN_EVERY_S = 0.04
LIMIT_S = 30

_LATE = "SELECT extract(epoch FROM closed_at - expires_at)::float8 FROM groups WHERE id = ANY($1::uuid[])"


class _Answer(msgspec.Struct):
    id: UUID
    expires_at: datetime


def deadline(stack: Stack) -> Figure:
    """Groups opened through the API, each watched on its live stream until it says closed."""
    template = open_groups(stack.settings, group_lifetime_s=LIFETIME_S)[0]
    late_s, seen_s = asyncio.run(_measure(stack, template))
    return Figure(
        "deadline to closed for a single group, p99",
        Spread((percentile(late_s, 99),)),
        Wanted(1.0, 0.3, "{:.2f} s", at_most=True),
        measured=f"closed: {_shown(late_s)}; shown on the live stream: {_shown(seen_s)}",
        notes=(f"{GROUPS} groups, a deadline every {OPEN_EVERY_S * 1000:.0f} ms",),
    )


async def _measure(stack: Stack, template: Opened) -> tuple[list[float], list[float]]:
    caller = await Caller.connected(stack.settings.port)
    groups = []
    streams: list[Stream] = []
    try:
        for _ in range(GROUPS):
            groups.append(await _open(stack, caller, template))
            streams.append(await Stream.opened(stack.settings.port, f"/v1/groups/{groups[-1].id}/live"))
            await asyncio.sleep(OPEN_EVERY_S)
        async with asyncio.timeout(LIMIT_S + LIFETIME_S):
            seen_at = [await stream.closed for stream in streams]
    except TimeoutError:
        raise CannotMeasure("A live stream never said that its group is closed.") from None
    finally:
        caller.close()
        for stream in streams:
            stream.close()
    seen_s = [at - group.expires_at.timestamp() for at, group in zip(seen_at, groups, strict=True)]
    return await _late(stack.settings.database_url, [group.id for group in groups]), seen_s


async def _open(stack: Stack, caller: Caller, template: Opened) -> _Answer:
    token = token_for_one(stack.settings)
    reply = await caller.ask(caller.request("POST", f"/v1/deals/{template.deal_id}/groups", token, b"{}"), 201)
    group = msgspec.json.decode(reply.body, type=_Answer)
    assert group.expires_at > datetime.now(UTC)
    return group


async def _late(database_url: str, group_ids: Sequence[UUID]) -> list[float]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row[0] for row in await connection.fetch(_LATE, group_ids)]
    finally:
        await connection.close()


def _shown(seconds: list[float]) -> str:
    p50_ms, p99_ms = (percentile(seconds, percent) * 1000 for percent in (50, 99))
    return f"p50 {p50_ms:.0f} ms, p99 {p99_ms:.0f} ms, most {max(seconds) * 1000:.0f} ms"

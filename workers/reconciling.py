"""Reconciling: what is kept twice is compared, so that a fault of ours is found before its victims find it.

Differences within PostgreSQL break a promise: they are logged as errors for a person, never mended in silence. Counters
that are missing, late or ahead of the truth (Redis kept what PostgreSQL lost) are written anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import make_engine
from infra.runtime import Runtime
from infra.settings import Settings
from workers.counted import reconcile_counters
from workers.duty import Context, Duty
from workers.housekeeping import (
    forget_old_codes,
    forget_old_keys,
    forget_old_sessions,
    forget_old_staff_invites,
    forget_old_visitors,
    refresh_units_taken,
)
from workers.truth import deals_after, differences_in

# The queue wakes this duty every minute; without the queue it looks by itself.
LOOK_EVERY_S = 75.0
PLACES_PER_LOOK = 200_000
# Counting the places of the biggest deals may take longer than a request is allowed to.
COUNTING_TIMEOUT_MS = 300_000

_BEGINNING = UUID(int=0)

_log = structlog.get_logger(__name__)


class Reconciling:
    """Goes through all deals, a part at each look, and through the groups that changed lately."""

    def __init__(self) -> None:
        self._after = _BEGINNING

    async def step(self, context: Context) -> float:
        """Compare the next part of the deals, look after the counters, and tidy up."""
        runtime = context.runtime
        async with _patient_engine(runtime.settings) as engine:
            self._after, _ = await _reconcile_deals(engine, self._after)
        try:
            await reconcile_counters(context.by_key, runtime.redis, runtime.counters)
        except RedisError as error:
            _log.debug("counters_not_reconciled", why=str(error))
        await refresh_units_taken(runtime.engine)
        await forget_old_keys(context.by_key)
        await forget_old_codes(context.by_key)
        await forget_old_sessions(context.by_key)
        await forget_old_staff_invites(context.by_key)
        await forget_old_visitors(context.by_key)
        return LOOK_EVERY_S


RECONCILING = Duty("reconciling", 4, Reconciling().step)


async def reconcile_once(runtime: Runtime) -> int:
    """Compare everything, now; answers how many differences there were."""
    async with _patient_engine(runtime.settings) as engine:
        after, differences = await _reconcile_deals(engine, _BEGINNING)
        while after != _BEGINNING:
            after, more = await _reconcile_deals(engine, after)
            differences += more
        differences += await reconcile_counters(engine, runtime.redis, runtime.counters)
        await refresh_units_taken(engine)
        await forget_old_keys(engine)
        await forget_old_codes(engine)
        await forget_old_sessions(engine)
        await forget_old_staff_invites(engine)
        await forget_old_visitors(engine)
    return differences


async def _reconcile_deals(engine: AsyncEngine, after: UUID) -> tuple[UUID, int]:
    """Compare deals until enough places were counted; answers where to go on, and how many differences there were."""
    deals = await deals_after(engine, after)
    chosen: list[UUID] = []
    places = 0
    for deal_id, deal_places in deals:
        if chosen and places + deal_places > PLACES_PER_LOOK:
            break
        chosen.append(deal_id)
        places += deal_places
    differences = await differences_in(engine, chosen) if chosen else []
    for difference in differences:
        _log.error("kept_differs_from_counted", **difference._asdict())
    return chosen[-1] if chosen else _BEGINNING, len(differences)


@asynccontextmanager
async def _patient_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    patient = replace(settings, statement_timeout_ms=COUNTING_TIMEOUT_MS)
    engine = make_engine(patient, "tuan reconciling", connections_max=1)
    try:
        yield engine
    finally:
        await engine.dispose()

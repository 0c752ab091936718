"""What became of parcels, and recording it: together, so that a service that is quick waits for no commits."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.database import is_connection_lost
from infra.gathering import Gathering
from infra.notices import deliveries
from infra.notices.deliveries import Parcel
from infra.push.port import Gone, Later, Outcome, Refused, Sent

ATTEMPTS_MAX: Final = 10
BACKOFF_FIRST_S: Final = 10.0
"""The least that Google asks for."""
BACKOFF_MAX_S: Final = 3_600.0
"""So the last attempt is made an hour and a half to two hours after the first."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What became of a parcel; one that was put off was not tried."""

    parcel: Parcel
    outcome: Outcome
    is_tried: bool = True


class Records:
    """Where it is recorded what became of parcels."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._recording: Gathering[Result, None] = Gathering(self.note_all)

    async def note(self, result: Result) -> None:
        """With whatever else is to be recorded meanwhile."""
        await self._recording.get(result)

    async def note_all(self, results: Sequence[Result]) -> dict[Result, None]:
        """All at once, else one by one: whoever tells the same people meanwhile may hold their rows the other way."""
        try:
            await self._note_together(results)
        except DBAPIError as error:
            if is_connection_lost(error):
                raise
            for result in results:
                await self._note_alone(result)
        return {}

    async def _note_alone(self, result: Result) -> None:
        """What cannot be recorded is left to its lease, and keeps none behind it from being recorded."""
        try:
            await self._note_together([result])
        except DBAPIError as error:
            if is_connection_lost(error):
                raise
            _log.error("delivery_not_noted", exc_info=error)

    async def _note_together(self, results: Sequence[Result]) -> None:
        async with self._engine.begin() as connection:
            for result in results:
                await _note(connection, result)


def spread(rest_s: float, parcel: Parcel) -> float:
    """Up to half as long again, by the parcel's own chance (always the same): not all come back at once."""
    chance = zlib.crc32(parcel.target.bytes + bytes([parcel.attempts % 256])) / 2**32
    return rest_s * (1 + chance / 2)


async def _note(connection: AsyncConnection, result: Result) -> None:
    parcel = result.parcel
    match result.outcome:
        case Sent():
            await deliveries.done(connection, parcel)
        case Gone(since=since):
            await deliveries.device_gone(connection, parcel, "the push service knows the token no more", since)
        case Refused(why=why):
            await deliveries.dead(connection, parcel, why)
        case Later(why=why, rest_s=rest_s) if not result.is_tried:
            await deliveries.later(connection, parcel, rest_s or BACKOFF_FIRST_S, why, is_tried=False)
        case Later(why=why, rest_s=rest_s):
            if parcel.attempts >= ATTEMPTS_MAX:
                await deliveries.dead(connection, parcel, why, attempts_min=ATTEMPTS_MAX)
            await deliveries.later(connection, parcel, max(_backoff_s(parcel), rest_s or 0.0), why)


def _backoff_s(parcel: Parcel) -> float:
    """Doubled from attempt to attempt."""
    return spread(min(BACKOFF_FIRST_S * 2.0 ** (parcel.attempts - 1), BACKOFF_MAX_S), parcel)

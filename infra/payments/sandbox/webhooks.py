"""Sending webhooks: at least once, many events in one message, some of them twice and none in order, as providers do.

What is sent twice or out of turn goes by the event's id, so that a test meets the same every time.
"""

import asyncio
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import structlog

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.held_connection import HeldConnection
from infra.payments.sandbox import webhooks_sql as sql
from infra.payments.sandbox.messages import EVENTS_PER_MESSAGE_MAX, Message, event_of, signed
from infra.payments.sandbox.rules import Happened
from infra.payments.sandbox.signing import sandbox_key
from infra.settings import Settings
from infra.statement import Statement, json_text

LOOK_EVERY_S = 0.2
EXPIRE_EVERY_S = 1.0
FORGET_EVERY_S = 10.0
ROWS_AT_ONCE = 100
HOLDS_AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 5_000
ANSWER_TIMEOUT_S = 5.0
SENDING_TIMEOUT_S = 30.0
LEASE_S = 60
"""How long a row is its sender's alone; longer than sending may take."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
ROWS_SENT_TWICE_EVERY = 8
EVENTS_TOLD_TWICE_EVERY = 16
SENT_AGAIN_AFTER_S = 1.0

_log = structlog.get_logger(__name__)


class _Row(msgspec.Struct, frozen=True):
    """Events that one statement wrote; `attempts` counts this one, `deliveries` those that were heard."""

    id: int
    at: datetime
    events: list[Happened]
    attempts: int
    deliveries: int


class _Outcome(msgspec.Struct, frozen=True):
    """What became of a row: when it is due again, unless it is over."""

    id: int
    deliveries: int
    attempts: int
    is_over: bool
    rest_s: float


_decode_rows = msgspec.json.Decoder(list[_Row]).decode


class SandboxWebhooks:
    """The sandbox's sender of webhooks to one address; several may work on the same books."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._url = url
        self._key = sandbox_key(settings)
        self._engine = make_engine(settings, "tuan sandbox webhooks", connections_max=1, planner=ALWAYS_BY_INDEX)
        self._connection = HeldConnection(self._engine)
        self._client = httpx.AsyncClient(
            timeout=ANSWER_TIMEOUT_S, trust_env=False, verify=httpx.URL(url).scheme == "https"
        )
        self._expire_at_s = self._forget_at_s = 0.0
        self._said = ""

    async def step(self) -> float:
        """Send what is due; answers how long there is nothing more to do, in seconds.

        Raises what PostgreSQL being away raises; whatever the receiver answers is dealt with here.
        """
        await self._keep_books()
        rows = _decode_rows(await self._value(sql.CLAIM, {"rows_max": ROWS_AT_ONCE, "lease_s": LEASE_S}))
        if rows:
            heard = await self._send_all(_parcels(rows))
            outcomes = [_outcome(row, is_heard=row.id in heard) for row in rows]
            await self._value(sql.MARK, {"outcomes": json_text(outcomes)})
        return 0 if len(rows) == ROWS_AT_ONCE else LOOK_EVERY_S

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()
        await self._connection.let_go()
        await self._engine.dispose()

    async def _keep_books(self) -> None:
        """Write down the holds that have expired, now and then forget what was delivered long ago."""
        now_s = time.monotonic()
        if now_s >= self._expire_at_s:
            expired = await self._value(sql.EXPIRE, {"holds_max": HOLDS_AT_ONCE})
            self._expire_at_s = now_s if expired == HOLDS_AT_ONCE else now_s + EXPIRE_EVERY_S
        if now_s >= self._forget_at_s:
            await self._value(sql.FORGET, {"rows_max": FORGOTTEN_AT_ONCE})
            self._forget_at_s = now_s + FORGET_EVERY_S

    async def _send_all(self, parcels: Sequence[Sequence[_Row]]) -> set[int]:
        """The rows that were heard; once nobody answers, the others wait for their next turn as well."""
        heard: set[int] = set()
        try:
            async with asyncio.timeout(SENDING_TIMEOUT_S):
                for parcel in parcels:
                    if await self._is_heard(_message(parcel)):
                        heard.update(row.id for row in parcel)
        except (httpx.HTTPError, TimeoutError) as error:
            self._say_once(str(error) or type(error).__name__)
        return heard

    async def _is_heard(self, message: Message) -> bool:
        body = msgspec.json.encode(message)
        headers = signed(self._key, body, datetime.now(UTC))
        answer = await self._client.post(self._url, content=body, headers=headers)
        if answer.is_success:
            self._said = ""
        else:
            self._say_once(f"answered {answer.status_code}")
        return answer.is_success

    def _say_once(self, why: str) -> None:
        """That nobody listens is no news each time: what is not heard is sent again until it is."""
        if why != self._said:
            self._said = why
            _log.warning("sandbox_webhooks_wait", url=self._url, why=why)

    async def _value(self, statement: Statement, parameters: dict[str, Any]) -> Any:  # noqa: ANN401  as asyncpg has it
        return await self._connection.statement(lambda driver: statement.value(driver, parameters))


def _parcels(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows that go in one message each, out of their order."""
    parcels: list[list[_Row]] = []
    room = 0
    for row in rows:
        if len(row.events) > room:
            parcels.append([])
            room = EVENTS_PER_MESSAGE_MAX
        parcels[-1].append(row)
        room -= len(row.events)
    return sorted(parcels, key=lambda parcel: _turn(str(parcel[0].id)))


def _message(parcel: Sequence[_Row]) -> Message:
    """The events of some rows, out of their order, and some twice where there is room."""
    events = [
        event_of(f"evt_{row.id}_{number}", event.kind, event.order_id, event.status, row.at)
        for row in parcel
        for number, event in enumerate(row.events)
    ]
    again = [event for event in events if _turn(event.id) % EVENTS_TOLD_TWICE_EVERY == 0]
    told = events + again[: EVENTS_PER_MESSAGE_MAX - len(events)]
    return Message(events=sorted(told, key=lambda event: _turn(event.id)))


def _turn(event_id: str) -> int:
    return zlib.crc32(event_id.encode())


def _outcome(row: _Row, *, is_heard: bool) -> _Outcome:
    if not is_heard:
        rest_s = min(BACKOFF_FIRST_S * 2 ** min(row.attempts - 1, 10), BACKOFF_MAX_S)
        return _Outcome(row.id, row.deliveries, row.attempts, is_over=False, rest_s=rest_s)
    is_first_of_two = row.id % ROWS_SENT_TWICE_EVERY == 0 and row.deliveries == 0
    return _Outcome(row.id, row.deliveries + 1, 0, is_over=not is_first_of_two, rest_s=SENT_AGAIN_AFTER_S)

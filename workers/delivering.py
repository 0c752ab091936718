"""Delivering: notices that are due go to phones and mailboxes, and what became of them is recorded.

Claim, then send with no transaction open, then record. A process may die at any point: the lease brings back what it
had, and what was sent but not recorded is sent again with the ids it had, so that a phone shows it once.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

import structlog

from domain.errors import InvalidInput
from domain.notices.kinds import Channel
from infra.database import is_connection_lost
from infra.messages.port import MessageNotSent
from infra.notices import deliveries
from infra.notices.deliveries import Device, Parcel
from infra.push.gateways import ANDROID, IOS
from infra.push.line import CONNECTIONS_MAX
from infra.push.parcels import letter_of, push_of
from infra.push.port import Later, Outcome, Refused, Sent
from workers.delivered import ATTEMPTS_MAX, Records, Result, spread
from workers.duty import Context, LastingDuty, Step, is_server_gone
from workers.ways import Way

PUSHES_AT_ONCE: Final = CONNECTIONS_MAX
"""On each service, so that none waits for a connection. It takes hundreds a second that way, and no service minds."""
LETTERS_AT_ONCE: Final = 4
"""Fewer than the mail server's connections, so that codes have some left."""
LETTERS: Final = "mail"
WAYS: Final = {Channel.PUSH: (ANDROID, IOS), Channel.EMAIL: (LETTERS,)}
CLAIMED_AT_LEAST: Final = {Channel.PUSH: 16, Channel.EMAIL: 1}
"""Room for so many is waited for before more are claimed: a statement for each push would cost more than it."""
LOOK_EVERY_S: Final = 1.0
PATIENCE_S: Final = 0.5
"""So long the others wait for a service that is full: one that is quick has room by then. For one that is slow they do
not: what is theirs is found among what has to be put off."""
PUT_OFF_REST_S: Final = 0.05
"""After a look at which nothing could be begun: a service that is away must not keep PostgreSQL busy."""

_log = structlog.get_logger(__name__)


class _Found(Enum):
    """What a look at one channel came to: nothing was due, or nobody looked, none of it could be begun, or some."""

    NONE = auto()
    NO_ROOM = auto()
    PUT_OFF = auto()
    SOME = auto()


class Delivering:
    """What one process has under way."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._runtime = context.runtime
        self._ways = {
            ANDROID: Way(ANDROID, PUSHES_AT_ONCE),
            IOS: Way(IOS, PUSHES_AT_ONCE),
            LETTERS: Way(LETTERS, LETTERS_AT_ONCE),
        }
        self._under_way: set[asyncio.Task[None]] = set()
        self._records = Records(context.by_key)
        self._has_room = asyncio.Event()
        self._full_since_s: dict[Channel, float] = {}

    async def step(self) -> float:
        """Take up what is due, as much as there is room for; answers how long to rest."""
        self._has_room.clear()
        found = {await self._take_up(channel) for channel in Channel}
        if _Found.SOME in found:
            return 0
        if _Found.PUT_OFF in found:
            return PUT_OFF_REST_S
        return await self._wait_for_room() if _Found.NO_ROOM in found else LOOK_EVERY_S

    async def finish(self) -> None:
        """Return when all that was begun is recorded; cut off, it leaves it to the next process."""
        try:
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _take_up(self, channel: Channel) -> _Found:
        """Begin what is due, at once: what was claimed and is not begun waits a minute and has used an attempt."""
        limit = self._limit(channel)
        if not limit:
            return _Found.NO_ROOM
        async with self._context.by_key.begin() as connection:
            parcels = await deliveries.claim(connection, limit, [channel])
            is_over = not parcels and not await deliveries.is_any_due(connection, channel)
        if is_over:
            return _Found.NONE
        put_off = [result for parcel in parcels if (result := self._take(parcel)) is not None]
        if put_off:
            await self._records.note_all(put_off)
        return _Found.SOME if len(put_off) < len(parcels) else _Found.PUT_OFF

    def _limit(self, channel: Channel) -> int:
        """How many all have room for, whatever each is for; now and then, while one stays full, what another has."""
        rooms = [self._ways[name].room for name in WAYS[channel]]
        now_s = time.monotonic()
        if self._has_room_on(channel):
            self._full_since_s.pop(channel, None)
            return min(rooms)
        if now_s < self._full_since_s.setdefault(channel, now_s) + PATIENCE_S:
            return 0
        self._full_since_s[channel] = now_s
        return max(rooms)

    def _has_room_on(self, channel: Channel) -> bool:
        return min(self._ways[name].room for name in WAYS[channel]) >= CLAIMED_AT_LEAST[channel]

    async def _wait_for_room(self) -> float:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._has_room.wait()
        except TimeoutError:
            pass
        return 0

    def _take(self, parcel: Parcel) -> Result | None:
        """Begin to send it, or answer why not."""
        way = self._ways.get(LETTERS if parcel.device is None else parcel.device.platform)
        if way is None:
            return Result(parcel, Refused("no push service for this platform"))
        if parcel.attempts > ATTEMPTS_MAX:  # whoever sent it died of it, or nobody can say what became of it
            return Result(parcel, Later("claimed again and again, and nothing came of it"))
        if way.put_off_s > 0:
            return Result(parcel, Later(f"{way.name} is busy or away", spread(way.put_off_s, parcel)), is_tried=False)
        way.begin()
        task = asyncio.create_task(self._deliver(parcel, way))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return None

    async def _deliver(self, parcel: Parcel, way: Way) -> None:
        """Send it and have it recorded; what cannot be recorded is left to the lease."""
        try:
            outcome = await self._try(parcel, way)
        finally:
            way.end()
            if self._has_room_on(parcel.channel):
                self._has_room.set()
        try:
            await self._records.note(Result(parcel, outcome))
        except Exception as error:  # noqa: BLE001 - nobody waits for this; the lease brings it back
            if not is_connection_lost(error):
                _log.error("delivery_not_noted", exc_info=error)

    async def _try(self, parcel: Parcel, way: Way) -> Outcome:
        """What a fault of ours meets is for later: it must hold up no other, and says nothing about the way."""
        try:
            outcome = await self._send(parcel)
        except Exception as error:  # noqa: BLE001 - as it says
            if not is_server_gone(error):
                _log.error("delivery_failed", exc_info=error, notice_id=str(parcel.notices[0].id))
            return Later(type(error).__name__)
        if not isinstance(outcome, Later):
            way.went_well()
        elif not outcome.is_of_one:
            way.failed(outcome.why, outcome.rest_s)
        return outcome

    async def _send(self, parcel: Parcel) -> Outcome:
        if parcel.device is not None:
            return await self._push(parcel, parcel.device)
        return await self._write(parcel, parcel.address or "")

    async def _push(self, parcel: Parcel, device: Device) -> Outcome:
        gateway = self._runtime.pushes.of(device.platform)
        if gateway is None:
            return Refused(f"no push service is set up for {device.platform}")
        return await gateway.send(push_of(parcel, device, self._runtime.settings.origin, datetime.now(UTC)))

    async def _write(self, parcel: Parcel, address: str) -> Outcome:
        origin = self._runtime.settings.origin
        token = self._runtime.unsubscribing.make(parcel.account_id, (notice.kind for notice in parcel.notices))
        link = f"{origin}/unsubscribe/{token}"
        try:
            await self._runtime.messages.send(letter_of(parcel, address, origin, link))
        except InvalidInput:
            return Refused("no mail server is set up")
        except MessageNotSent as error:
            return Refused(str(error)) if error.is_final else Later(str(error), is_of_one=error.is_of_recipient)
        return Sent()


@asynccontextmanager
async def delivering(context: Context) -> AsyncIterator[Step]:
    """The step of this duty, and the end of what it has under way."""
    made = Delivering(context)
    try:
        yield made.step
    finally:
        await made.finish()


DELIVERING = LastingDuty("delivering", 13, delivering)

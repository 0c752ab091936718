"""The embedded default: messages go nowhere but to a line on the terminal and the inbox of whoever tries Tuan out."""

from datetime import UTC, datetime

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.messages.port import Message, MessageNotSent

INBOX_KEY = "console:inbox"
KEPT_MESSAGES = 50
KEPT_S = 3_600

_log = structlog.get_logger(__name__)


class Delivered(msgspec.Struct, frozen=True):
    """A message in the inbox."""

    to: str
    text: str
    code: str
    at: datetime


_decode = msgspec.json.Decoder(Delivered).decode


class ConsoleMessages:
    """Shows messages instead of sending them; without an inbox on the terminal only."""

    def __init__(self, redis: Redis, *, has_inbox: bool) -> None:
        self._redis = redis
        self.has_inbox = has_inbox

    async def send(self, message: Message) -> None:
        await self.show(message.recipient.address, message.text, message.code)

    async def show(self, to: str, text: str, code: str = "") -> None:
        """Also for what is no message to an address; raises `MessageNotSent`."""
        delivered = Delivered(to, text, code, datetime.now(UTC))
        if self.has_inbox:
            await self._put(delivered)
        _log.info("message", to=delivered.to, text=delivered.text)

    async def inbox(self) -> list[Delivered]:
        """The last messages, newest first; none while Redis is away, as then nothing is put there either."""
        try:
            kept = await self._redis.lrange(INBOX_KEY, 0, -1)  # type: ignore[misc]  # redis-py's stub knows both worlds at once
        except (RedisError, OSError, TimeoutError):
            return []
        return [_decode(each) for each in kept]

    async def close(self) -> None:
        return

    async def _put(self, delivered: Delivered) -> None:
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.lpush(INBOX_KEY, msgspec.json.encode(delivered))
                pipeline.ltrim(INBOX_KEY, 0, KEPT_MESSAGES - 1)
                pipeline.expire(INBOX_KEY, KEPT_S)
                await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise MessageNotSent("The inbox cannot be reached.") from error

"""Many Redis commands in one write and one wait, packed by hiredis: redis-py packs them word by word in Python."""

from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

Command = tuple[bytes | str | int, ...]


async def ask_together(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The answers in order; raises `RedisError` where Redis refuses a command or does not answer."""
    answers = await ask_each(redis, commands)
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    return answers


async def ask_each(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """As `ask_together`, with a refusal of one command as its answer."""
    pool = redis.connection_pool
    connection = await pool.get_connection()
    try:
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]  # its stub knows tuples of one word only
        await connection.send_packed_command(b"".join(packed), check_health=False)
        return [await _answer(connection) for _ in commands]
    except BaseException:
        # answers may still be on their way: nobody else must take them for his own
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


async def _answer(connection: Any) -> Any:  # noqa: ANN401 - whatever Redis says
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal

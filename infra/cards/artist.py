"""Asking the process that draws: started when it is first needed, ended when it is idle, replaced when it dies.

Drawing takes tens of milliseconds of pure Python and C, most of it with the interpreter's lock held: in a thread of an
API process every join of it would wait (decision 0024).
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from typing import Final

import structlog

from infra.cards.drawing_turns import CannotDraw, DrawingTurns, Lane
from infra.cards.orders import FRAME_BYTES_MAX, LENGTH, Done, Draw, Order, Reduce, decode_done, framed
from infra.cards.picture import Kind, Picture

ANSWER_TIMEOUT_S: Final = 4.0
"""For one order, the start of the process included; a picture takes a fiftieth of it."""
IDLE_S: Final = 120.0
_KEPT_OF_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")

_log = structlog.get_logger(__name__)


class Artist:
    """One process that draws one picture after the other; so many wait for it as `DrawingTurns` has room."""

    def __init__(self, *, answer_timeout_s: float = ANSWER_TIMEOUT_S, idle_s: float = IDLE_S) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._idle_s = idle_s
        self._turns = DrawingTurns()
        self._at_work: _Easel | None = None
        self._ending: asyncio.TimerHandle | None = None

    @property
    def process_id(self) -> int | None:
        """The process that draws, while there is one."""
        return self._at_work.process_id if self._at_work else None

    async def draw(self, picture: Picture, product: bytes | None) -> bytes:
        """A picture as it is sent; raises `CannotDraw`."""
        lane = Lane.CARDS if picture.kind is Kind.CARD else Lane.OWN
        return (await self._ask(Draw(picture, product), lane)).content

    async def reduce(self, image: bytes) -> bytes | None:
        """A small JPEG of an image; None of what is none, or costs too much. Raises `CannotDraw`."""
        done = await self._ask(Reduce(image), Lane.CARDS, attempts=1)
        return None if done.refusal else done.content

    async def stop(self) -> None:
        """End the process."""
        if self._ending is not None:
            self._ending.cancel()
        await self._end()

    async def _ask(self, order: Order, lane: Lane, attempts: int = 2) -> Done:
        """What comes of an order; a second attempt with a new process where the first died of it or was too slow."""
        async with self._turns.taken(lane):
            return await self._attempted(framed(order), attempts)

    async def _attempted(self, message: bytes, attempts: int) -> Done:
        for _ in range(attempts):
            try:
                async with asyncio.timeout(self._answer_timeout_s):
                    return await self._answered(message)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                _log.warning("drawing_failed", error=type(error).__name__)
        raise CannotDraw

    async def _answered(self, message: bytes) -> Done:
        self._at_work = easel = self._at_work or await _Easel.started()
        try:
            done = await easel.ask(message)
        except BaseException:
            await self._end()  # it is dead, or its answer to this would be taken for the next one's
            raise
        self._end_when_idle()
        return done

    def _end_when_idle(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(self._idle_s, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._turns.is_taken and self._at_work is not None:
            self._at_work.hang_up()
            self._at_work = None

    async def _end(self) -> None:
        easel, self._at_work = self._at_work, None
        if easel is not None:
            await easel.end()


class _Easel:
    """The process, and the socket that it is asked over."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.process_id = process.pid

    @classmethod
    async def started(cls) -> "_Easel":
        ours, its = socket.socketpair()
        with its:
            process = await asyncio.to_thread(_start, its.fileno())
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def ask(self, message: bytes) -> Done:
        """Raises OSError, EOFError or ValueError where the process is gone or answers what cannot be."""
        self._writer.write(message)
        await self._writer.drain()
        (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        if length > FRAME_BYTES_MAX:
            raise ValueError("an answer larger than any picture")
        return decode_done(await self._reader.readexactly(length))

    def hang_up(self) -> None:
        """Let it end by itself: it waits for orders, and there will be none."""
        self._writer.close()
        asyncio.get_running_loop().run_in_executor(None, self._process.wait)

    async def end(self) -> None:
        """End it whatever it is doing."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await asyncio.to_thread(self._process.wait)


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C in the terminal is not for it, it ends with us."""
    return subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-P", "-m", "infra.cards.easel", str(descriptor)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[descriptor],
        env={name: os.environ[name] for name in _KEPT_OF_ENVIRONMENT if name in os.environ},
    )

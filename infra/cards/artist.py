"""Asking the process that draws: started when it is first needed, ended when it is idle, replaced when it dies.

Drawing takes tens of milliseconds of pure Python and C, most of it with the interpreter's lock held: in a thread of an
API process every join of it would wait (decision 0024).
"""

import asyncio
import contextlib
import math
import os
import socket
import subprocess
import sys
from typing import Final

import msgspec
import structlog

from infra.cards.drawing_turns import CannotDraw, DrawingTurns, Lane
from infra.cards.orders import FRAME_BYTES_MAX, LENGTH, Done, Draw, Order, Reduce, decode_done, framed
from infra.cards.picture import Kind, Picture

ANSWER_TIMEOUT_S: Final = 4.0
"""For one order, the start of the process included; a picture takes a fiftieth of it."""
ATTEMPTS: Final = 2
IDLE_S: Final = 120.0
_KEPT_OF_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")

_log = structlog.get_logger(__name__)


class TooCostly(Exception):  # noqa: N818 - named after what it is
    """An image whose decoding takes too long, or ends the process that does it."""


class Artist:
    """One process that draws one picture after the other; so many wait for it as `DrawingTurns` has room."""

    def __init__(self, *, answer_timeout_s: float = ANSWER_TIMEOUT_S, idle_s: float = IDLE_S) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._idle_s = idle_s
        self._turns = DrawingTurns()
        self._at_work: asyncio.Task[_Easel] | None = None
        self._ending: asyncio.TimerHandle | None = None

    @property
    def process_id(self) -> int | None:
        """The process that draws, while there is one."""
        easel = self._easel_at_rest()
        return easel.process_id if easel else None

    async def draw(self, picture: Picture, product: bytes | None) -> bytes:
        """A picture as it is sent; raises `CannotDraw`."""
        async with self._turns.taken(Lane.CARDS if picture.kind is Kind.CARD else Lane.OWN):
            done = await self._done(Draw(picture, product), too_slow_max=2)
        if done is None:
            raise CannotDraw
        return done.content

    async def reduce(self, image: bytes) -> bytes | None:
        """A small JPEG of an image; None of what is none. Raises `TooCostly`, and `CannotDraw` where too many wait."""
        async with self._turns.taken(Lane.CARDS):
            done = await self._done(Reduce(image), too_slow_max=1)
        if done is None:
            raise TooCostly
        return None if done.refusal else done.content

    async def stop(self) -> None:
        """End the process."""
        if self._ending is not None:
            self._ending.cancel()
        await self._end()

    async def _done(self, order: Order, too_slow_max: int) -> Done | None:
        """What comes of an order; a second attempt with a new process where the first died or was too slow."""
        message, too_slow = framed(order), 0
        for _ in range(ATTEMPTS):
            try:
                async with asyncio.timeout(self._answer_timeout_s):
                    return await self._answered(message)
            except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
                _log.warning("drawing_failed", error=type(error).__name__)
                too_slow += isinstance(error, TimeoutError)
            if too_slow == too_slow_max:
                break
        return None

    async def _answered(self, message: bytes) -> Done:
        easel = await self._easel()
        try:
            done = await easel.ask(message)
        except BaseException:
            await self._end()  # it is dead, or its answer to this would be taken for the next one's
            raise
        self._end_when_idle()
        return done

    async def _easel(self) -> "_Easel":
        """The process, started where there is none: for whoever comes next, if nobody waits for it any more."""
        if self._at_work is None:
            self._at_work = asyncio.create_task(_Easel.started(self._answer_timeout_s))
            self._end_when_idle()
        try:
            return await asyncio.shield(self._at_work)
        except OSError:
            self._at_work = None
            raise

    def _easel_at_rest(self) -> "_Easel | None":
        is_there = self._at_work is not None and self._at_work.done() and not self._at_work.exception()
        return self._at_work.result() if self._at_work is not None and is_there else None

    def _end_when_idle(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(self._idle_s, self._end_if_idle)

    def _end_if_idle(self) -> None:
        easel = self._easel_at_rest()
        if not self._turns.is_taken and easel is not None:
            easel.hang_up()
            self._at_work = None

    async def _end(self) -> None:
        at_work, self._at_work = self._at_work, None
        if at_work is not None:
            with contextlib.suppress(OSError):  # it could not be started
                await (await at_work).end()


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
    async def started(cls, order_s_max: float) -> "_Easel":
        """A process that ends itself over an order that takes longer."""
        process, ours = await asyncio.to_thread(_start, math.ceil(order_s_max) + 1)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def ask(self, message: bytes) -> Done:
        """Raises OSError, EOFError, ValueError or MsgspecError where the process is gone or answers what cannot be."""
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


def _start(order_s_max: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """In a session of its own: Ctrl-C in the terminal is not for it, it ends with us."""
    with contextlib.ExitStack() as unless_started:
        ours, its = socket.socketpair()
        unless_started.callback(ours.close)
        with its:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-P", "-m", "infra.cards.easel", str(its.fileno()), str(order_s_max)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[its.fileno()],
                env={name: os.environ[name] for name in _KEPT_OF_ENVIRONMENT if name in os.environ},
            )
        unless_started.pop_all()
    return process, ours

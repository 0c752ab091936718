"""Hearing of a stop in time: a server waits for open requests before it ends the app, and live streams never end."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_of_stop(then: Callable[[], None]) -> Iterator[None]:
    """Call `then` in the running loop when the process is told to stop; the server's own handling goes on as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach only the main thread, so whoever runs us here stops us another way
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(then)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

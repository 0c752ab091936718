"""Hosts looked up as the system does, in threads of their own: a slow name server holds up nobody but its own hosts.

A thread that waits for a name server cannot be ended. So a host has one at a time, however many ask for it, there are
more threads than slow hosts could take while each of them has a turn to be fetched from, and the program ends without
them.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any, Final

from infra.cards.single_flight import SingleFlight

LOOKUPS_MAX: Final = 320
"""Eight turns of three quarters of a second let 320 hosts hang for 30 s each; systems give up sooner."""

SystemLookup = Callable[[str], list[str]]


class NoThreadLeft(Exception):  # noqa: N818 - named after what happened
    """Other hosts hang in all of them."""


def _addresses(host: str) -> list[str]:
    found: list[Any] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Lookups:
    """Look-ups under way; whoever has no more time goes away and leaves the thread to who asks next."""

    def __init__(self, look_up: SystemLookup = _addresses) -> None:
        self._look_up = look_up
        self._under_way: SingleFlight[list[str]] = SingleFlight()
        self._threads = 0

    async def resolve(self, host: str, port: int) -> list[str]:  # noqa: ARG002 - resolvers may want it, names have none
        """The numeric addresses of a host; raises OSError and `NoThreadLeft`."""
        return await self._under_way.run(host, lambda: self._looked_up(host))

    async def stop(self) -> None:
        """Wait for none of them any more."""
        await self._under_way.stop()

    async def _looked_up(self, host: str) -> list[str]:
        if self._threads >= LOOKUPS_MAX:
            raise NoThreadLeft
        found: Future[list[str]] = Future()
        try:
            Thread(target=_answer, args=(found, self._look_up, host), daemon=True).start()
        except RuntimeError:
            raise NoThreadLeft from None  # the system has none, though we would
        self._threads += 1
        try:
            return await asyncio.wrap_future(found)
        finally:
            self._threads -= 1


def _answer(found: Future[list[str]], look_up: SystemLookup, host: str) -> None:
    found.set_running_or_notify_cancel()
    try:
        found.set_result(look_up(host))
    except Exception as error:  # noqa: BLE001 - it is told to whoever waits
        found.set_exception(error)

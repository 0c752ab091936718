"""Whose picture is drawn next: cards go before what one link has for itself, and neither takes the other's room."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from enum import Enum
from typing import Final

from infra.unavailable import Unavailable


class CannotDraw(Unavailable):
    """No picture now: too many are asked for, or the process that draws failed twice."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The picture cannot be drawn right now. Try again in a moment.")


class Lane(Enum):
    """What waits apart from each other: a group's cards, and a link's own posters and codes."""

    CARDS = "cards"
    OWN = "own"


WAITING_MAX: Final = {Lane.CARDS: 32, Lane.OWN: 16}
WAIT_S: Final = 10.0
"""A full line is drawn in two seconds; one that hardly moves is left."""
CARDS_IN_A_ROW_MAX: Final = 4
"""After so many cards what a link has for itself has a turn, so that it never waits for ever."""


class DrawingTurns:
    """One turn at a time; in each lane so many wait for theirs, in the order they came and not for ever."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self.is_taken = False
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}
        self._cards_in_a_row = 0

    @contextlib.asynccontextmanager
    async def taken(self, lane: Lane) -> AsyncIterator[None]:
        """A turn; raises `CannotDraw` where too many wait already, or for too long."""
        if self.is_taken:
            await self._given(lane)
        self.is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _given(self, lane: Lane) -> None:
        waiting = self._waiting[lane]
        if len(waiting) >= WAITING_MAX[lane]:
            raise CannotDraw
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await self._come(turn, waiting)
        except TimeoutError:
            raise CannotDraw from None

    async def _come(self, turn: asyncio.Future[None], waiting: deque[asyncio.Future[None]]) -> None:
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                waiting.remove(turn)
            else:
                self._pass_on()  # it was given to whoever has just gone away
            raise

    def _pass_on(self) -> None:
        """Whoever is next goes on; `is_taken` stays, so that nobody steps in between."""
        lane = self._next()
        self._cards_in_a_row = self._cards_in_a_row + 1 if lane is Lane.CARDS else 0
        if lane is None:
            self.is_taken = False
        else:
            self._first(lane).set_result(None)

    def _next(self) -> Lane | None:
        waiting = [lane for lane in Lane if any(not turn.done() for turn in self._waiting[lane])]
        is_others_turn = self._cards_in_a_row >= CARDS_IN_A_ROW_MAX
        return (waiting[-1] if is_others_turn else waiting[0]) if waiting else None

    def _first(self, lane: Lane) -> asyncio.Future[None]:
        """The first who still waits; who has gone away takes himself out of the line."""
        turn = next(turn for turn in self._waiting[lane] if not turn.done())
        self._waiting[lane].remove(turn)
        return turn

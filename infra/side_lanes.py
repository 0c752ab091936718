"""Side lanes: where commands wait for a deal that somebody else keeps locked, without holding up those of others."""

from typing import ClassVar
from uuid import UUID

from infra.batch import Waiting
from infra.lane import Lane, Shared
from infra.unavailable import Overloaded

SIDE_LANES = 4


class SideLanes:
    """The deals that are held up, and the lanes in which their commands wait until a lock is had."""

    def __init__(self, shared: Shared, queue_commands_max: int) -> None:
        """Lanes that keep as many waiting commands together as the common lane by itself."""
        self.held_up: set[UUID] = set()
        each = max(1, queue_commands_max // SIDE_LANES)
        self._lanes = [_SideLane(shared, each, self.held_up) for _ in range(SIDE_LANES)]

    def put(self, waiting: Waiting) -> None:
        """Queue a command about a deal that is held up; raises `Overloaded`."""
        self._lanes[hash(waiting.deal_id) % SIDE_LANES].put(waiting)

    def put_aside(self, waiting: Waiting) -> None:
        """Queue a command that waited elsewhere: its deal is held up from now on."""
        self.held_up.add(waiting.deal_id)
        try:
            self.put(waiting)
        except Overloaded as error:
            waiting.refuse(error)

    async def drained(self) -> None:
        """Return when nothing waits."""
        for lane in self._lanes:
            await lane.drained()


class _SideLane(Lane):
    """A lane that takes one deal at once and waits for its lock as long as the settings say; it is rarely used."""

    keeps_connection: ClassVar[bool] = False

    def __init__(self, shared: Shared, queue_commands_max: int, held_up: set[UUID]) -> None:
        super().__init__(shared, queue_commands_max)
        self._held_up = held_up

    def _next_batch(self) -> list[Waiting]:
        taken = super()._next_batch()
        deal_id = taken[0].deal_id
        self._queue.extendleft(one for one in reversed(taken) if one.deal_id != deal_id)
        return [one for one in taken if one.deal_id == deal_id]

    def _written(self, waiting: list[Waiting]) -> None:
        """Commands of this deal go with all others again."""
        self._held_up.discard(waiting[0].deal_id)

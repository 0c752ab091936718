"""Watching a group while others join it: promise 7, measured from outside."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.system.load import Load
from tests.system.phones import NoAnswer, Phone

LOOKS_EVERY_S = 0.02
LATE_S_MAX = 1.0


@dataclass
class Watch:
    """What the looks showed: statuses, looks without an answer, and those that showed a state older than promised."""

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    late: list[str] = field(default_factory=list)

    def compare(self, load: Load, began_at: float, participants: int, port: int) -> None:
        """Hold what was shown against what had been answered a second before."""
        due = max((height for at, height in load.tallest if at <= began_at - LATE_S_MAX), default=0)
        if participants < due:
            self.late.append(f"port {port} showed {participants} a second after {due} were answered")


@asynccontextmanager
async def watched(load: Load, phones: Sequence[Phone]) -> AsyncIterator[Watch]:
    """Look at the big group through every phone, all through the block."""
    watch = Watch()
    looking = [asyncio.create_task(_look_on(watch, load, phone)) for phone in phones]
    try:
        yield watch
    finally:
        for look in looking:
            look.cancel()
        for outcome in await asyncio.gather(*looking, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError), outcome


async def _look_on(watch: Watch, load: Load, phone: Phone) -> None:
    while True:
        began_at = time.monotonic()
        try:
            answer = await phone.get(f"/v1/groups/{load.big_group}")
        except NoAnswer:
            watch.unanswered += 1
        else:
            watch.statuses[answer.status] += 1
            if answer.status == 200:
                watch.compare(load, began_at, answer.body["participants"], phone.port)
        await asyncio.sleep(LOOKS_EVERY_S)

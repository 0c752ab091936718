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
LOOKS_MIN = 40


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

    def assert_kept_promises(self, *, may_be_unavailable: bool = False) -> None:
        """Every look was answered, and with nothing older than a second."""
        assert self.late == []
        assert self.unanswered == 0
        assert self.statuses[200] > LOOKS_MIN
        assert set(self.statuses) <= ({200, 503} if may_be_unavailable else {200})


@asynccontextmanager
async def watched(load: Load, phones: Sequence[Phone], quiet_group: str) -> AsyncIterator[Watch]:
    """Look at the load's big group, and at one that nothing happens to, through every phone all through the block."""
    watch = Watch()
    looking = [
        asyncio.create_task(_look_on(watch, load, phone, group_id))
        for phone in phones
        for group_id in (load.big_group, quiet_group)
    ]
    try:
        yield watch
    finally:
        for look in looking:
            look.cancel()
        for outcome in await asyncio.gather(*looking, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError), outcome


async def _look_on(watch: Watch, load: Load, phone: Phone, group_id: str) -> None:
    while True:
        began_at = time.monotonic()
        try:
            answer = await phone.get(f"/v1/groups/{group_id}")
        except NoAnswer:
            watch.unanswered += 1
        else:
            watch.statuses[answer.status] += 1
            if answer.status == 200 and group_id == load.big_group:
                watch.compare(load, began_at, answer.body["participants"], phone.port)
        await asyncio.sleep(LOOKS_EVERY_S)

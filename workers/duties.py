"""The duties of one process: each runs in its own loop while this process leads it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.ending import end
from infra.runtime import Runtime
from workers.awaiting import LAPSING, LOOKING_UP
from workers.balancing.duty import BALANCING
from workers.closing import CLOSING
from workers.delivering import DELIVERING
from workers.duty import REST_AFTER_ERROR_S, AnyDuty, Context, Outages, Step
from workers.erasing import ERASING
from workers.leadership import Leadership
from workers.noticing import NOTICING
from workers.paying import PAYING
from workers.reconciling import RECONCILING
from workers.relay import RELAYING
from workers.sandbox_webhooks import SENDING
from workers.settling import SETTLING
from workers.winding_down import WINDING_DOWN

ALL_DUTIES = (
    CLOSING,
    RELAYING,
    SETTLING,
    RECONCILING,
    PAYING,
    LAPSING,
    LOOKING_UP,
    SENDING,
    BALANCING,
    WINDING_DOWN,
    ERASING,
    NOTICING,
    DELIVERING,
)
SPARE_CONNECTIONS = 2
"""For duties that do two things at once."""


class Duties:
    """Loops over duties; `wake` makes one of them look at once."""

    def __init__(self, runtime: Runtime, duties: Sequence[AnyDuty], *, is_worker: bool) -> None:
        by_key = make_engine(
            runtime.settings, "tuan duties", connections_max=len(duties) + SPARE_CONNECTIONS, planner=ALWAYS_BY_INDEX
        )
        self._context = Context(runtime, by_key, self.wake)
        self._duties = duties
        self._leadership = Leadership(runtime.settings, [duty.number for duty in duties], is_worker=is_worker)
        self._wakes = {duty.name: asyncio.Event() for duty in duties}
        self._stopping = asyncio.Event()

    def wake(self, name: str) -> None:
        """There may be something to do for this duty; a name nobody knows any more wakes nobody."""
        if name in self._wakes:
            self._wakes[name].set()

    def stop(self) -> None:
        """End every loop after the step it is in."""
        self._stopping.set()
        for wake in self._wakes.values():
            wake.set()

    async def run(self) -> None:
        """Do the duties until stopped."""
        leading = asyncio.create_task(self._leadership.run())
        try:
            await asyncio.gather(*(self._perform(duty) for duty in self._duties))
        finally:
            await end(leading)
            await self._context.by_key.dispose()

    async def _perform(self, duty: AnyDuty) -> None:
        async with duty.at_work(self._context) as step:
            await self._step_on(duty, step)

    async def _step_on(self, duty: AnyDuty, step: Step) -> None:
        outages, wake = Outages(duty.name), self._wakes[duty.name]
        while await self._leads(duty):
            wake.clear()
            try:
                rest_s = await step()
            except Exception as error:  # noqa: BLE001 - a duty goes on for ever; what is wrong gets said once
                outages.failed(error)
                rest_s = REST_AFTER_ERROR_S
            else:
                outages.over()
            if not self._stopping.is_set():
                await _first_of(wake, rest_s)

    async def _leads(self, duty: AnyDuty) -> bool:
        """Wait to lead the duty; False when there is no more to come."""
        if self._stopping.is_set() or self._leadership.leads(duty.number):
            return not self._stopping.is_set()
        leading = asyncio.create_task(self._leadership.led(duty.number))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([leading, stopping], return_when=asyncio.FIRST_COMPLETED)
        leading.cancel()
        stopping.cancel()
        return not self._stopping.is_set()


@asynccontextmanager
async def performed(
    runtime: Runtime, *, is_worker: bool, duties: Sequence[AnyDuty] = ALL_DUTIES
) -> AsyncIterator[Duties]:
    """Duties in the background; at the end each finishes its step, within the time allowed for stopping."""
    performing = Duties(runtime, duties, is_worker=is_worker)
    task = asyncio.create_task(performing.run())
    try:
        yield performing
    finally:
        performing.stop()
        _, pending = await asyncio.wait([task], timeout=runtime.settings.stop_timeout_s)
        for late in pending:
            late.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _first_of(wake: asyncio.Event, rest_s: float) -> None:
    if rest_s > 0:
        try:
            async with asyncio.timeout(rest_s):
                await wake.wait()
        except TimeoutError:
            return

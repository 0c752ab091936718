"""The sandbox behind a bad line: calls are lost before or after their effect, or take as long as a test likes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import partial
from uuid import UUID

from domain.pricing.steps import Strategy
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayUnavailable, PaymentRequest
from infra.payments.sandbox import SandboxGateway
from infra.settings import Settings


class Fate(Enum):
    """What becomes of a call."""

    FINE = "it is answered"
    AWAY = "nothing is done, and nothing said"
    LOST = "it is done, and nothing said"
    SLOW = "it is on its way until somebody lets it go on, whatever becomes of the caller"
    SLOW_ANSWER = "it is done, and the answer is on its way"


@dataclass(slots=True)
class OnItsWay:
    """A call that waits to be let go on, and the task that waits for its answer."""

    caller: "asyncio.Task[object]"
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Line:
    """What the coming calls meet, and those that are on their way; look-ups are not among the slow ones."""

    fates: deque[Fate] = field(default_factory=deque)
    on_their_way: list[OnItsWay] = field(default_factory=list)
    effects: dict["asyncio.Task[GatewayPayment]", OnItsWay] = field(default_factory=dict)

    @property
    def arriving(self) -> list["asyncio.Task[GatewayPayment]"]:
        """Calls that were let go on and are not done yet, whether or not anybody waits for them."""
        return [effect for effect, call in self.effects.items() if call.go_on.is_set()]

    def is_waiting(self, task: "asyncio.Task[object]") -> bool:
        """Whether it waits for an answer that does not come by itself."""
        return any(call.caller is task for call in self.on_their_way)

    def next_fate(self) -> Fate:
        return self.fates.popleft() if self.fates else Fate.FINE

    def let_go_on(self, call: OnItsWay) -> None:
        self.on_their_way.remove(call)
        call.go_on.set()

    def clear(self) -> None:
        """Nothing is lost any more, and what is on its way goes on."""
        self.fates.clear()
        for call in list(self.on_their_way):
            self.let_go_on(call)

    async def make(self, call: Callable[[], Awaitable[GatewayPayment]]) -> GatewayPayment:
        """Make a call, as far as its fate lets it."""
        match self.next_fate():
            case Fate.FINE:
                return await call()
            case Fate.AWAY:
                raise GatewayUnavailable("The line was cut.")
            case Fate.LOST:
                with suppress(GatewayRefused):
                    await call()
                raise GatewayUnavailable("The answer was lost.")
            case Fate.SLOW:
                on_its_way = self._wait()
                effect = asyncio.create_task(_arrive(on_its_way, call))
                self.effects[effect] = on_its_way
                effect.add_done_callback(self._over)
                return await asyncio.shield(effect)
            case Fate.SLOW_ANSWER:
                answer = await call()
                await self._wait().go_on.wait()
                return answer

    def _wait(self) -> OnItsWay:
        caller = asyncio.current_task()
        assert caller is not None
        self.on_their_way.append(OnItsWay(caller))
        return self.on_their_way[-1]

    def _over(self, effect: "asyncio.Task[GatewayPayment]") -> None:
        del self.effects[effect]
        if not effect.cancelled():
            effect.exception()  # its caller may be gone


class HostileSandbox(SandboxGateway):
    """One process's way to the sandbox."""

    def __init__(self, settings: Settings, strategy: Strategy, line: Line) -> None:
        super().__init__(settings, strategy=strategy)
        self._line = line

    async def authorise(self, request: PaymentRequest) -> GatewayPayment:
        return await self._line.make(partial(super().authorise, request))

    async def look_up(
        self, order_id: UUID, reference: str | None, created_after: datetime | None = None
    ) -> GatewayPayment | None:
        if self._line.next_fate() in {Fate.AWAY, Fate.LOST}:
            raise GatewayUnavailable("The line was cut.")
        return await super().look_up(order_id, reference, created_after)

    async def capture(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        return await self._line.make(partial(super().capture, reference, amount_minor, key))

    async def cancel(self, reference: str, key: str) -> GatewayPayment:
        return await self._line.make(partial(super().cancel, reference, key))

    async def refund(self, reference: str, amount_minor: int, key: str) -> GatewayPayment:
        return await self._line.make(partial(super().refund, reference, amount_minor, key))


async def _arrive(on_its_way: OnItsWay, call: Callable[[], Awaitable[GatewayPayment]]) -> GatewayPayment:
    await on_its_way.go_on.wait()
    return await call()

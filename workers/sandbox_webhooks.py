"""The sandbox's webhooks go out while it is the gateway that is configured: its sender is a part of the provider."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from infra.payments.sandbox.webhooks import SandboxWebhooks
from infra.settings import Settings
from workers.duty import Context, LastingDuty, Step

SANDBOX = "sandbox"
IDLE_REST_S = 60.0
LOOK_EVERY_S = 0.5


class Sending:
    """Sends through one sender, made when there may be something to send."""

    def __init__(self, settings: Settings, ending: AsyncExitStack) -> None:
        self._settings = settings
        self._ending = ending
        self._sender: SandboxWebhooks | None = None

    async def step(self) -> float:
        """Send what is due; answers how long to rest."""
        if self._settings.payment_gateway != SANDBOX:
            return IDLE_REST_S
        if self._sender is None:
            self._sender = SandboxWebhooks(self._settings, self._settings.sandbox_webhooks_go_to)
            self._ending.push_async_callback(self._sender.close)
        rest_s = await self._sender.step()
        return max(rest_s, LOOK_EVERY_S) if rest_s else 0


@asynccontextmanager
async def sending(context: Context) -> AsyncIterator[Step]:
    """The step of this duty, and the end of its connections."""
    async with AsyncExitStack() as ending:
        yield Sending(context.runtime.settings, ending).step


SENDING = LastingDuty("sandbox_webhooks", 8, sending)

"""The sandbox's webhooks go out while it is anybody's gateway: its sender is a part of the provider."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import text

from infra.payments.sandbox.webhooks import SandboxWebhooks
from workers.duty import Context, LastingDuty, Step

SANDBOX = "sandbox"
LOOK_EVERY_S = 0.5
IDLE_REST_S = 10.0

_IS_IN_USE = text("SELECT EXISTS (SELECT FROM sandbox_payments)")


class Sending:
    """Sends through one sender, which is made when the sandbox is in use: in the settings, or by a single merchant."""

    def __init__(self, context: Context, ending: AsyncExitStack) -> None:
        self._context = context
        self._ending = ending
        self._sender: SandboxWebhooks | None = None

    async def step(self) -> float:
        """Send what is due; answers how long to rest."""
        if self._sender is None:
            if not await self._is_in_use():
                return IDLE_REST_S
            settings = self._context.runtime.settings
            self._sender = SandboxWebhooks(settings, settings.sandbox_webhooks_go_to)
            self._ending.push_async_callback(self._sender.close)
        rest_s = await self._sender.step()
        return max(rest_s, LOOK_EVERY_S) if rest_s else 0

    async def _is_in_use(self) -> bool:
        if self._context.runtime.settings.payment_gateway == SANDBOX:
            return True
        async with self._context.by_key.connect() as connection:
            return bool((await connection.execute(_IS_IN_USE)).scalar_one())


@asynccontextmanager
async def sending(context: Context) -> AsyncIterator[Step]:
    """The step of this duty, and the end of its connections."""
    async with AsyncExitStack() as ending:
        yield Sending(context, ending).step


SENDING = LastingDuty("sandbox_webhooks", 8, sending)

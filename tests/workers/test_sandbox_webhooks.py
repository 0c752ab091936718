"""The sandbox's webhooks as a duty: they go to this machine's API while the sandbox is the gateway, and quietly."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from infra.ids import new_id
from infra.runtime import Runtime, started
from infra.settings import Settings, read_settings
from tests.gateways.webhook_receiver import receiver
from tests.house.running import free_port
from tests.workers.ground_truth import number
from tests.workers.paying_shop import PayingShop
from workers.duty import Context
from workers.sandbox_webhooks import IDLE_REST_S, LOOK_EVERY_S, SENDING


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "http://127.0.0.1:8000/v1/webhooks/sandbox"),
        ({"TUAN_HOST": "0.0.0.0", "TUAN_PORT": "81"}, "http://127.0.0.1:81/v1/webhooks/sandbox"),
        ({"TUAN_HOST": "::1"}, "http://[::1]:8000/v1/webhooks/sandbox"),
        ({"TUAN_SANDBOX_WEBHOOK_URL": "https://tuan.test/here"}, "https://tuan.test/here"),
    ],
)
def test_webhooks_go_to_the_api_unless_told_otherwise(environment: dict[str, str], address: str) -> None:
    """Where the API listens everywhere or on an address of version 6, it is reached all the same."""
    assert read_settings(environment).sandbox_webhooks_go_to == address


async def test_what_happens_at_the_sandbox_is_told(settings: Settings) -> None:
    """An approval reaches the address that is set, signed."""
    async with receiver() as heard, started(replace(settings, sandbox_webhook_url=heard.url)) as runtime:
        shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
        bought = await shop.reserve_first(await shop.live())
        await shop.authorise(bought)
        async with SENDING.at_work(_context(runtime)) as step:
            assert await step() == LOOK_EVERY_S
        (sent,) = heard.received
        assert str(bought.order_id).encode() in sent.body


async def test_nobody_listening_is_one_line(settings: Settings) -> None:
    """What was not heard is sent again until it is; the log says it once."""
    nowhere = f"http://127.0.0.1:{free_port()}/"
    async with started(replace(settings, sandbox_webhook_url=nowhere)) as runtime:
        shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
        await shop.authorise(await shop.reserve_first(await shop.live()))
        with capture_logs() as logs:
            async with SENDING.at_work(_context(runtime)) as step:
                for _ in range(3):
                    await step()
                    await shop.make("UPDATE sandbox_events SET due_at = now()")
        assert [log["event"] for log in logs] == ["sandbox_webhooks_wait"]
        assert await number(runtime.engine, "SELECT sum(attempts) FROM sandbox_events") == 3


async def test_a_sandbox_that_nobody_uses_sends_nothing(settings: Settings) -> None:
    """Where it is not the gateway its sender is made with its first payment: a single merchant may use it."""
    of_sender = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tuan sandbox webhooks'"
    async with receiver() as heard:
        elsewhere = replace(settings, payment_gateway="none", sandbox_webhook_url=heard.url)
        async with started(elsewhere) as runtime, SENDING.at_work(_context(runtime)) as step:
            assert await step() == IDLE_REST_S
            assert await number(runtime.engine, of_sender) == 0
            shop = PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)
            await shop.authorise(await shop.reserve_first(await shop.live()))
            await step()
            assert len(heard.received) == 1


def _context(runtime: Runtime) -> Context:
    return Context(runtime, runtime.engine)

"""`tuan reconcile`, as an operator runs it: what it prints, and the status a script goes by."""

import subprocess
from collections.abc import AsyncIterator

import asyncpg
import pytest

from infra.ids import new_id
from infra.payments.port import PaymentRequest
from infra.runtime import started
from infra.settings import Settings
from tests.house.running import free_port, tuan
from tests.workers.sandbox_shop import SandboxShop

PAYMENTS = 5_500


@pytest.fixture
async def till(settings: Settings) -> AsyncIterator[SandboxShop]:
    """A shop at the sandbox."""
    async with started(settings) as runtime:
        yield SandboxShop(runtime.engine, runtime.batcher, new_id(), runtime.gateways.get("sandbox"))


async def test_what_is_certain_is_repaired_and_the_rest_is_named(settings: Settings, till: SandboxShop) -> None:
    """Status 1 with a table while differences remain, and 0 when none does any more."""
    request = PaymentRequest(order_id=new_id(), shopper_id=new_id(), amount_minor=900, currency="EUR")
    await till.gateway.authorise(request)
    dry = _reconcile(settings, "--dry-run")
    assert (dry.returncode, dry.stderr) == (1, "")
    assert "payment without an order" in dry.stdout
    assert f"order {request.order_id}" in dry.stdout
    assert "sandbox: holds 9.00 EUR" in dry.stdout
    assert ": 1 difference; nothing was repaired." in dry.stdout
    narrow = _reconcile(settings, "--dry-run", FORCE_COLOR="1", COLUMNS="80")
    assert f"    order {request.order_id}\n" in narrow.stdout  # to be copied, so never cut short
    wet = _reconcile(settings)
    assert (wet.returncode, wet.stderr) == (0, "")
    assert ": 1 difference, 1 repaired, 0 left." in wet.stdout
    bought, _ = await till.orders_of(await till.live(), None, None)
    await till.make("UPDATE sandbox_payments SET refunded_minor = 250 WHERE order_id = :id", id=bought.order_id)
    left = _reconcile(settings, "--since", "2026-01-01T08:00+02:00")
    assert (left.returncode, left.stderr) == (1, "")
    assert f"order {bought.order_id}" in left.stdout
    assert "keeps 15.50 EUR (took 18.00 EUR, gave back 2.50 EUR)" in left.stdout
    assert "Compared 3 payments of gateways, 2 orders and 1 group: 1 difference, 0 repaired, 1 left." in left.stdout


async def test_long_work_is_told_on_its_way(settings: Settings, till: SandboxShop) -> None:
    """A line for every so many thousand, then the sum: 3 payments, or 3 million, without a difference is status 0."""
    await till.make(
        "INSERT INTO sandbox_payments (order_id, amount_minor, currency, method, status, created_at)"
        " SELECT gen_random_uuid(), 1800, 'EUR', 'sandbox_approve', 'cancelled', now() FROM generate_series(1, :many)",
        many=PAYMENTS,
    )
    answer = _reconcile(settings)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        "5,000 payments of sandbox compared",
        "Compared 5,500 payments of gateways, 0 orders and 0 groups: no differences.",
    ]


async def test_a_gateway_that_gives_no_answer_is_status_two(settings: Settings, till: SandboxShop) -> None:
    """Without its books nothing is known: one line that says so, and no table that could be taken for all."""
    await till.orders_of(await till.live(), None, None)
    connection = await asyncpg.connect(settings.database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE sandbox_payments IN ACCESS EXCLUSIVE MODE")
        answer = _reconcile(settings, TUAN_LOCK_TIMEOUT_MS="100")
    await connection.close()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    assert "The comparison was not finished" in answer.stderr


def test_a_gateway_or_database_that_is_not_there_is_one_line(settings: Settings) -> None:
    """What was never set up, and what does not answer, is named with what to do next; status 2."""
    for name, environment in (
        ("STRIPE", {"TUAN_PAYMENT_GATEWAY": "stripe"}),
        ("check DATABASE_URL", {"DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d"}),
    ):
        answer = _reconcile(settings, **environment)
        assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
        assert name in answer.stderr


def test_a_moment_that_is_none_is_refused(settings: Settings) -> None:
    """`--since yesterday` reads like usage, not like a crash."""
    answer = _reconcile(settings, "--since", "yesterday")
    assert answer.returncode == 2
    assert "'yesterday' is no date such as 2026-07-31" in answer.stderr


def _reconcile(settings: Settings, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    surroundings = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
    }
    return tuan("reconcile", *arguments, **(surroundings | environment))

"""The API from outside, against its own OpenAPI document: schemathesis finds no failure in a bounded time."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from infra.database import make_engine
from infra.settings import Settings
from infra.tokens import TokenIssuer
from tests.api.cast import make_cast
from tests.api.people import Person, Town
from tests.house.running import free_port, surroundings
from tests.waiting import eventually, until

BUDGET_S = 30
SEED = 1
"""The same cases in every run, as with Hypothesis elsewhere, so that a red one can be looked into."""
SCHEMATHESIS = Path(sys.executable).with_name("st")
CALLED_BY_BOTH_ROLES = frozenset({"shopper", "merchant"})

CONFIG = """
[checks.positive_data_acceptance]
# What a schema cannot say is checked too: that prices fall, that windows end after they begin, that 2.0 is no count.
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422"]

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx"]

[dictionaries.deals]
values = {deals}

[dictionaries.groups]
values = {groups}

[dictionaries.codes]
values = {codes}

[dictionaries.orders]
values = {orders}

[dictionaries.merchants]
values = {merchants}

[dictionaries.staff]
values = {staff}

[parameters]
deal_id = {{ dictionary = "deals", probability = 0.6 }}
group_id = {{ dictionary = "groups", probability = 0.6 }}
code = {{ dictionary = "codes", probability = 0.6 }}
order_id = {{ dictionary = "orders", probability = 0.6 }}
merchant_id = {{ dictionary = "merchants", probability = 0.6 }}
account_id = {{ dictionary = "staff", probability = 0.6 }}
"""


def test_schemathesis_finds_no_failure(settings: Settings, tmp_path: Path) -> None:
    """DESIGN 9.6: no 5xx, no undocumented status, header or shape, nothing wrong accepted, on real servers."""
    caller_id = uuid4()  # of no account: one that applies to be a merchant has to fetch another token
    token = TokenIssuer(settings).issue(caller_id, CALLED_BY_BOTH_ROLES, 600, "Ada")
    config, log = tmp_path / "schemathesis.toml", tmp_path / "serve.log"
    with serving(settings, log) as address:
        config.write_text(asyncio.run(_config(settings, address, caller_id, token)))
        command = (
            *(SCHEMATHESIS, "--config-file", config, "run", f"{address}/schema/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", "--max-time", str(BUDGET_S)),
            *("--seed", str(SEED)),
            # A stream of an open group does not end; tests of the live view read it.
            *("--exclude-operation-id", "follow_group", "--continue-on-failure", "--no-color"),
            *("--exclude-operation-id", "follow_link", "--exclude-operation-id", "follow_group_page"),
            # After it the callers' tokens are good for nothing; tests of sessions call it.
            *("--exclude-operation-id", "sign_out_everywhere"),
        )
        limit_s = BUDGET_S + 60
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit_s, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "request_failed" not in log.read_text()


@contextmanager
def serving(settings: Settings, log: Path) -> Iterator[str]:
    """`tuan serve` on this test's servers; its address."""
    port = free_port()
    environment = surroundings(
        DATABASE_URL=settings.database_url,
        REDIS_URL=settings.redis_url,
        TUAN_DATA_DIR=str(settings.data_dir),
        TUAN_RATE_LIMITS="off",
        TUAN_PORT=str(port),
    )
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "cli.main", "serve"], stderr=output, env=environment)
    try:
        until(lambda: _is_ready(address), "the API is ready", 30)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").is_success
    except httpx.TransportError:
        return False


async def _config(settings: Settings, address: str, caller_id: UUID, token: str) -> str:
    """Deals in every state and groups in most, so that random requests meet something."""
    async with httpx.AsyncClient(base_url=address) as client:
        town = Town(client, settings)
        town.merchant = Person(client, caller_id, token)
        engine = make_engine(settings)
        cast = await make_cast(town, engine)
        await engine.dispose()
        deals = [(await town.live_deal(group_size_max=1_000_000, stock=1_000_000))["id"] for _ in range(3)]
        deals += [(await town.draft())["id"] for _ in range(3)]
        leader = town.shopper()
        groups = [(await leader.post(f"/v1/deals/{deals[0]}/groups")).json()["id"] for _ in range(5)]
        await town.merchant.post(f"/v1/groups/{groups[0]}/cancel")
        codes = [(await leader.post(f"/v1/groups/{group_id}/invites")).json()["code"] for group_id in groups[1:3]]
        orders = [await _order(town.merchant, deals[0]) for _ in range(5)]
    merchants, staff = [str(caller_id)], [str(cast["editor"].subject), str(cast["analyst"].subject)]
    listed = {"deals": deals, "groups": groups, "codes": codes, "orders": orders}
    listed |= {"merchants": merchants, "staff": staff}
    return CONFIG.format(**{name: json.dumps(values) for name, values in listed.items()})


async def _order(both: Person, deal_id: str) -> str:
    """Something bought alone, paid and captured, by who sells it: every operation on orders may be tried."""
    bought = await both.post(f"/v1/deals/{deal_id}/orders")
    order_id: str = bought.json()["id"]

    async def is_captured() -> bool:
        return (await both.get(f"/v1/orders/{order_id}")).json()["placed_at"] is not None

    await eventually(is_captured, "the payment is captured")
    return order_id

"""Four real API processes on one Redis: a quota is what passes through all of them together."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.settings import Settings
from tests.limits.addresses import address, from_address, neighbour, phone
from tests.system.programs import Api, answering

PROCESSES = 4
AT_ONCE = 16


@pytest.fixture
def apis(settings: Settings, tmp_path: Path) -> Iterator[list[Api]]:
    with _answering(settings, tmp_path, PROCESSES) as made:
        yield made


@pytest.fixture
def port(settings: Settings, tmp_path: Path) -> Iterator[int]:
    """Of one process."""
    with _answering(settings, tmp_path, 1) as made:
        yield made[0].port


@contextmanager
def _answering(settings: Settings, folder: Path, processes: int) -> Iterator[list[Api]]:
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "TUAN_DATA_DIR": str(settings.data_dir),
        "TUAN_TRUSTED_PROXIES": "127.0.0.1",
        "TUAN_LOG_LEVEL": "warning",
    }
    with answering(processes, folder, environment) as made:
        yield made


async def test_four_processes_let_exactly_a_quota_through(apis: list[Api]) -> None:
    """One address, one number, one block of numbers: as many codes as may be sent, overshoot 0."""
    one_address = [(phone(number), "203.0.113.1") for number in range(120)]
    assert await _asked(apis, one_address) == {202: 60, 429: 60}
    one_number = [(neighbour(0), address(number)) for number in range(60)]
    assert await _asked(apis, one_number) == {202: 5, 429: 55}
    one_block = [(neighbour(1 + number), address(number)) for number in range(240)]
    assert await _asked(apis, one_block) == {202: 195, 429: 45}  # five of two hundred went to the number before


async def test_the_server_bounds_heads_and_names_no_software(port: int) -> None:
    """A head that is far longer than 64 KiB or has more than 100 fields is 431; `Server` says nothing to look up."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for path in ("/healthz", "/nowhere"):
            assert (await client.get(path)).headers.get_list("server") == ["tuan"]
        for headers, status in (
            ({"x-long": "a" * 10_000}, 200),
            ({"x-long": "a" * 200_000}, 431),
            ({f"x-{number}": "1" for number in range(101)}, 431),
        ):
            assert (await client.get("/healthz", headers=headers)).status_code == status


async def _asked(apis: list[Api], requests: list[tuple[dict[str, str], str]]) -> Counter[int]:
    """How many of these got which answer, spread over all processes, many at the same time."""
    waiting = list(enumerate(requests))
    statuses = Counter[int]()

    async def ask(client: httpx.AsyncClient) -> None:
        while waiting:
            number, (to, forwarded_for) = waiting.pop()
            url = f"http://127.0.0.1:{apis[number % PROCESSES].port}/v1/sign-in/codes"
            answer = await client.post(url, json=to, headers=from_address(forwarded_for))
            statuses[answer.status_code] += 1

    async with httpx.AsyncClient(timeout=30) as client:
        await asyncio.gather(*(ask(client) for _ in range(AT_ONCE)))
    return statuses

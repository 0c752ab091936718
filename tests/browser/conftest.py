"""A Tuan that runs, and a browser that looks at it; without a browser on the machine nothing here is collected."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from infra.settings import read_settings
from tests.api.people import Town
from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.visiting import Running
from tests.conftest import Servers
from tests.system.programs import Api

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


@pytest.fixture(scope="module")
def running(servers: Servers, module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("browser")
    environment = {
        "DATABASE_URL": module_database_url,
        "REDIS_URL": servers.place.redis_url,
        "TUAN_DATA_DIR": str(folder / "data"),
    }
    api = Api(folder / "api.log", environment)
    api.start_answering()
    try:
        yield Running(f"http://127.0.0.1:{api.port}", read_settings(environment))
    finally:
        api.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town(running: Running) -> AsyncIterator[Town]:
    async with httpx.AsyncClient(base_url=running.origin) as client:
        yield Town(client, running.settings)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()

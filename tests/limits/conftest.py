"""The API with its limits on, behind a proxy that tells where requests come from, and a Valkey that may be killed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest

from api.app import create_app
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """Settings with limits; the tests' client, on this machine, plays a proxy that is trusted."""
    return replace(settings, rate_limits=True, trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.fixture
async def client(limited: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(create_app(limited)) as made:
        yield made


@pytest.fixture
async def town(client: httpx.AsyncClient, limited: Settings) -> Town:
    return Town(client, limited)

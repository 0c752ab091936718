"""A provider of each test's own, asked by a client that waits half a second."""

from collections.abc import AsyncIterator

import pytest

from infra.identity.fetching import ProviderClient
from tests.identity.jwks.house import House
from tests.identity.openid_provider import openid_provider


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with openid_provider() as provider:
        client = ProviderClient(answer_timeout_s=0.5)
        yield House(provider, client)
        await client.close()

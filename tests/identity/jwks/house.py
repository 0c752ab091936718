"""A provider, and what one of our processes knows of its keys."""

import asyncio
from dataclasses import dataclass, field

from infra.identity.fetching import ProviderClient
from infra.identity.jwks import KeySet
from tests.identity.openid_provider import OpenIdProvider, answer


@dataclass
class Clock:
    """Time that goes on when it is told to."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class House:
    """A provider, and its keys as one of our processes knows them."""

    provider: OpenIdProvider
    client: ProviderClient
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.keys = KeySet(f"{self.provider.base}/google/jwks", self.client, self.clock)


async def broken(writer: asyncio.StreamWriter) -> None:
    """How a provider answers that is away."""
    await answer(writer, b"", "503 Service Unavailable")

"""A stand-in for Stripe that records what it is asked, and our gateway before it."""

from collections.abc import AsyncIterator

import pytest

from infra.payments.stripe_gateway import StripeGateway
from tests.gateways.loopback import StandIn, stand_in
from tests.gateways.stripe_subject import stripe_gateway


@pytest.fixture
async def stripe() -> AsyncIterator[StandIn]:
    async with stand_in() as made:
        yield made


@pytest.fixture
async def gateway(stripe: StandIn) -> AsyncIterator[StripeGateway]:
    async with stripe_gateway(stripe.address) as made:
        yield made

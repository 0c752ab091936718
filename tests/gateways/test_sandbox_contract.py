from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.steps import Strategy
from infra.settings import Settings
from tests.gateways.contract import Capabilities, Check, Subject, checks_of, left_out
from tests.gateways.sandbox_subject import sandbox_subject

HOLDING = Capabilities(strategy=Strategy.HOLD_AND_CAPTURE, left_out={})
PAYING = Capabilities(strategy=Strategy.PAY_AND_REFUND, left_out={})


@pytest.fixture
async def holding(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Subject]:
    async with sandbox_subject(settings, engine) as subject:
        yield subject


@pytest.fixture
async def paying(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Subject]:
    async with sandbox_subject(settings, engine, Strategy.PAY_AND_REFUND) as subject:
        yield subject


@pytest.mark.parametrize("check", checks_of(HOLDING))
async def test_hold_and_capture(check: Check, holding: Subject) -> None:
    """The sandbox keeps the contract of a gateway with card-style holds."""
    await check(holding)


@pytest.mark.parametrize("check", checks_of(PAYING))
async def test_pay_and_refund(check: Check, paying: Subject) -> None:
    """The sandbox keeps the contract of a gateway without holds."""
    await check(paying)


def test_nothing_is_left_out() -> None:
    """The sandbox is the yardstick: every check of the contract runs against it."""
    assert left_out(HOLDING) | left_out(PAYING) == set()

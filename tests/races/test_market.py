"""The real write path, sweeps and executors under a gateway that misbehaves and processes that crash."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import settings as machine_settings
from hypothesis.stateful import run_state_machine_as_test

import tests.domain.conftest  # noqa: F401 - Hypothesis looks for counterexamples as it does there
from infra.settings import Settings
from tests.races.house import House, two_houses
from tests.races.market import Market

EXAMPLES = 12
STEPS_EACH = 50
STEPS_MIN = 300


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def open_houses(settings: Settings, runner: asyncio.Runner) -> Iterator[tuple[House, House]]:
    opened = two_houses(settings)
    yield runner.run(opened.__aenter__())
    runner.run(opened.__aexit__(None, None, None))


def test_whatever_the_gateway_does(runner: asyncio.Runner, open_houses: tuple[House, House]) -> None:
    """After every step the laws hold, and at rest everybody has paid exactly what is due by the gateway's books."""
    Market.runner, Market.houses, Market.steps = runner, open_houses, 0
    run_state_machine_as_test(Market, settings=machine_settings(max_examples=EXAMPLES, stateful_step_count=STEPS_EACH))
    assert Market.steps > STEPS_MIN

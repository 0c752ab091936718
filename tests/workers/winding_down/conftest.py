"""A merchant who is about to be suspended, with either kind of gateway."""

from dataclasses import replace

import pytest

from infra.runtime import Runtime
from infra.settings import Settings
from tests.workers.paying_shop import PayingShop
from tests.workers.winding_down.suspended import approved_shop


@pytest.fixture(params=["hold_and_capture", "pay_and_refund"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Every test here, with either kind of gateway."""
    return replace(settings, sandbox_strategy=request.param)


@pytest.fixture
async def shop(runtime: Runtime) -> PayingShop:
    return await approved_shop(runtime)

"""A shop whose payments go to a gateway that does what a test wants."""

import pytest

from infra.ids import new_id
from infra.runtime import Runtime
from tests.workers.hostile_gateway import HostileGateway
from tests.workers.paying.outcomes import hostile
from tests.workers.paying_shop import PayingShop


@pytest.fixture
def shop(runtime: Runtime) -> PayingShop:
    return PayingShop(runtime.engine, runtime.batcher, new_id(), runtime)


@pytest.fixture
def gateway(runtime: Runtime) -> HostileGateway:
    return hostile(runtime)

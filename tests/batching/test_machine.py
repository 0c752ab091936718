"""Whatever people and clocks do, and however it meets in batches, PostgreSQL holds what the pure core says."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from infra.database import ALWAYS_BY_INDEX, make_engine
from infra.settings import read_settings
from tests.batching.clock import SEARCH_PATH, set_up_clock
from tests.batching.machine import Shelf, StoredGroupBuying


@pytest.fixture
def shelf(database_url: str) -> Iterator[Shelf]:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        runner.run(set_up_clock(connection))
        engine = make_engine(
            read_settings({"DATABASE_URL": database_url}), "tuan machine", planner={**ALWAYS_BY_INDEX, **SEARCH_PATH}
        )
        yield Shelf(runner, engine, connection)
        runner.run(engine.dispose())
        runner.run(connection.close())


def test_rows_are_what_the_pure_core_says(shelf: Shelf) -> None:
    """9.3: the same commands, at once or one by one, leave the rows, the answers and the events of the pure core."""
    StoredGroupBuying.shelf = shelf
    run_state_machine_as_test(StoredGroupBuying, settings=settings(max_examples=50, stateful_step_count=40))

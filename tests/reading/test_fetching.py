"""What a read answers when PostgreSQL is away, comes back, or has no time."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.database import make_engine
from infra.ids import new_id
from infra.reading.deals import get_deal, list_deals
from infra.reading.fetching import fetch_json
from infra.settings import Settings
from infra.unavailable import DatabaseUnavailable, Overloaded
from tests.reading.shop import Shop

READERS = 5


async def test_reads_go_on_after_every_connection_was_cut(shop: Shop) -> None:
    """A pool full of dead connections, as after a restart of PostgreSQL, costs no reader an answer."""
    deal_id = await shop.live()
    await asyncio.gather(*(get_deal(shop.engine, deal_id) for _ in range(READERS)))
    await shop.make(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    found = await asyncio.gather(*(get_deal(shop.engine, deal_id) for _ in range(READERS)))
    assert [deal and deal.id for deal in found] == [deal_id] * READERS


async def test_without_postgresql_a_read_says_so(settings: Settings) -> None:
    """No server at the address: unavailable, to be tried again, not a fault of the program."""
    nowhere = make_engine(replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(DatabaseUnavailable):
        await get_deal(nowhere, new_id())
    await nowhere.dispose()


async def test_a_read_that_takes_too_long_is_given_up(settings: Settings) -> None:
    """A statement past its time limit means that there is too much to do just now."""
    hurried = make_engine(replace(settings, statement_timeout_ms=100))
    with pytest.raises(Overloaded):
        await fetch_json(hurried, text("SELECT pg_sleep(5)::text"))
    await list_deals(hurried)
    await hurried.dispose()


async def test_a_wrong_statement_is_not_taken_for_an_outage(shop: Shop) -> None:
    """A fault of the program shows as one, instead of asking everybody to try again for ever."""
    with pytest.raises(DBAPIError):
        await fetch_json(shop.engine, text("SELECT nothing_of_the_kind"))

"""Visits: once for each person, link and day, whoever counts; nobody can be found in what is kept."""

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from domain.groupbuy.commands import CreateInvite
from infra.database import make_engine
from infra.ids import new_id, new_invite_code
from infra.runtime import Runtime
from infra.settings import Settings
from infra.sharing.visits import BROWSERS, Visits
from tests.api.people import Town
from tests.reading.shop import Shop
from tests.sharing.test_previews import PEOPLE
from tests.waiting import eventually
from workers.housekeeping import forget_old_visitors

PHONE, OTHER_PHONE, *_ = PEOPLE
WHATSAPP = "WhatsApp/2.23.18.78 i"
WAITING_MAX = 200
END_WHO_WAITS = """
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'tuan visits' AND wait_event_type = 'Lock'"""


async def a_link(shop: Shop) -> str:
    """A link into a new group."""
    group_id, code = await shop.opened(await shop.live()), new_invite_code()
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=new_id(), channel="chat", code=code))
    return code


async def rows(engine: AsyncEngine, statement: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in (await connection.execute(text(statement))).all()]


async def counted(engine: AsyncEngine) -> dict[str, tuple[int, int]]:
    """People and previews by link."""
    found = await rows(engine, "SELECT code, sum(people), sum(previews) FROM visits GROUP BY code")
    return {code: (people, previews) for code, people, previews in found}


async def test_a_person_counts_once_whichever_process_sees_them(shop: Shop) -> None:
    """The same address and browser is one person for a link, in one process or two; another browser is another."""
    one, other = Visits(shop.engine), Visits(shop.engine)
    first, second = await a_link(shop), await a_link(shop)
    for visits in (one, other):
        for code in (first, first, second):
            visits.note(code, "192.0.2.7", PHONE)
        visits.note(first, "192.0.2.7", OTHER_PHONE)
        visits.note(first, "198.51.100.4", PHONE)
        visits.note(first, "198.51.100.4", WHATSAPP)
    await asyncio.gather(one.flush(), other.flush())
    one.note(first, "192.0.2.7", PHONE)
    await one.flush()
    assert await counted(shop.engine) == {first: (3, 2), second: (1, 0)}


async def test_many_processes_count_the_same_links_at_once(shop: Shop) -> None:
    """Nobody waits for each other in a ring, and nobody is counted twice."""
    codes = [await a_link(shop) for _ in range(3)]
    processes = [Visits(shop.engine) for _ in range(4)]
    for number, visits in enumerate(processes):
        for code in codes if number % 2 else codes[::-1]:
            for person in range(200):
                visits.note(code, f"198.51.100.{person}", PHONE)
                visits.note(code, "", None)
    await asyncio.gather(*(visits.flush() for visits in processes))
    assert await counted(shop.engine) == dict.fromkeys(codes, (200, 800))


async def test_who_changes_the_browsers_name_is_not_everybody(shop: Shop) -> None:
    """However many browsers an address claims to have, the visitors of a link that it can make are few."""
    visits, code = Visits(shop.engine), await a_link(shop)
    for number in range(20 * BROWSERS):
        visits.note(code, "192.0.2.7", f"{PHONE} {number}")
    await visits.flush()
    assert await counted(shop.engine) == {code: (BROWSERS, 0)}


async def test_a_code_of_nobody_spoils_nothing(shop: Shop) -> None:
    """Not even one that PostgreSQL cannot read as text: the links beside it, or those that come next, are counted."""
    visits, code = Visits(shop.engine), await a_link(shop)
    visits.note("nobodys", "192.0.2.7", PHONE)
    visits.note("nobodys", "192.0.2.7", WHATSAPP)
    visits.note(code, "192.0.2.7", PHONE)
    await visits.flush()
    assert await counted(shop.engine) == {code: (1, 0)}
    visits.note("\0", "192.0.2.8", PHONE)
    visits.note("\udfff", "192.0.2.8", PHONE)
    await visits.stop()
    visits.note(code, "192.0.2.8", PHONE)
    await visits.stop()
    assert await counted(shop.engine) == {code: (2, 0)}


async def test_visits_wait_for_postgresql_up_to_a_bound(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written is not lost, and what is too much is not kept."""
    monkeypatch.setattr("infra.sharing.visits.WAITING_MAX", WAITING_MAX)
    engine = make_engine(settings, "tuan visits", connections_max=1)
    visits, code = Visits(engine), await a_link(shop)
    for person in range(WAITING_MAX + 100):
        visits.note(code, str(person), PHONE)
    async with engine.connect() as held:  # the only connection
        flushing = asyncio.create_task(visits.stop())
        await asyncio.sleep(0)
        for person in range(100):  # while the others are being written they still take room
            visits.note(code, f"late {person}", PHONE)
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        await held.rollback()
    assert await counted(shop.engine) == {}
    await visits.flush()
    await engine.dispose()
    assert await counted(shop.engine) == {code: (WAITING_MAX, 0)}


async def test_an_outage_costs_no_visit_and_counts_none_twice(shop: Shop, settings: Settings) -> None:
    """What PostgreSQL takes with it, or as a standby does not take, is counted once later; who ends then says so."""
    code, away = await a_link(shop), make_engine(settings, "tuan visits", connections_max=1)
    standby = make_engine(settings, "tuan visits", planner={"default_transaction_read_only": "on"})
    visits = Visits(standby)
    for who in (PHONE, WHATSAPP):
        visits.note(code, "192.0.2.7", who)
    await visits._try_to_flush()
    visits._engine = away
    async with shop.engine.begin() as holding:
        await holding.execute(text("LOCK TABLE visits"))
        with capture_logs() as logs:
            stopping = asyncio.create_task(visits.stop())
            await eventually(partial(rows, shop.engine, END_WHO_WAITS), "its connection to be ended")
            await stopping
    assert logs[-1] == {"event": "visits_not_counted", "visits": 2, "log_level": "warning"}
    for who in (PHONE, OTHER_PHONE, WHATSAPP):
        visits.note(code, "192.0.2.7", who)
    await visits.flush()
    assert await counted(shop.engine) == {code: (2, 2)}
    for engine in (standby, away):
        await engine.dispose()


async def test_no_address_is_kept_and_hashes_are_gone_after_two_days(shop: Shop) -> None:
    """One salt a day for everybody; hashes differ by link; salt and hashes go, the counts stay."""
    visits, first, second = Visits(shop.engine), await a_link(shop), await a_link(shop)
    for code in (first, second):
        visits.note(code, "192.0.2.7", PHONE)
    await visits.flush()
    hashes = await rows(shop.engine, "SELECT visitor FROM visitors")
    assert len(set(hashes)) == 2
    assert all(len(visitor) == 16 for (visitor,) in hashes)
    everything = str([await rows(shop.engine, f"SELECT * FROM {table}") for table in ("visits", "visitors")])
    assert "192.0.2.7" not in everything
    assert "Mozilla" not in everything
    assert await forget_old_visitors(shop.engine) == 0
    for table in ("visits", "visitors", "visit_salts"):
        await shop.make(f"UPDATE {table} SET day = day - 1")
    assert await forget_old_visitors(shop.engine) == 0
    visits.note(first, "192.0.2.7", PHONE)
    await visits.flush()
    assert await counted(shop.engine) == {first: (2, 0), second: (1, 0)}
    assert len(set(await rows(shop.engine, "SELECT salt FROM visit_salts"))) == 2
    for table in ("visitors", "visit_salts"):
        await shop.make(f"UPDATE {table} SET day = day - 1")
    assert await forget_old_visitors(shop.engine) == 2
    assert len(await rows(shop.engine, "SELECT salt FROM visit_salts")) == 1
    assert len(await rows(shop.engine, "SELECT visitor FROM visitors")) == 1
    assert await counted(shop.engine) == {first: (2, 0), second: (1, 0)}


async def test_opening_a_link_is_a_visit(town: Town, runtime: Runtime, browser: httpx.AsyncClient) -> None:
    """A browser's reading counts; asking for the head, fetching ahead, a link of nobody's and a look-up do not."""
    leader = town.shopper()
    group = await town.open_group(leader)
    invite = (await leader.post(f"/v1/groups/{group['id']}/invites")).json()
    path = f"/i/{invite['code']}"
    assert (await browser.get("/i/nobodys", headers={"user-agent": PHONE})).status_code == 404
    await browser.get(f"/v1/invites/{invite['code']}", headers={"user-agent": PHONE})
    for method, headers in (
        ("HEAD", {"user-agent": OTHER_PHONE}),
        ("GET", {"user-agent": OTHER_PHONE, "sec-purpose": "prefetch;prerender"}),
        ("GET", {"user-agent": PHONE}),
        ("GET", {"user-agent": PHONE}),
        ("GET", {"user-agent": WHATSAPP}),
    ):
        assert (await browser.request(method, path, headers=headers)).status_code == 200

    async def is_the_last_counted() -> bool:
        return any(previews for _, previews in (await counted(runtime.engine)).values())

    await eventually(is_the_last_counted, "the last of them is counted")
    assert await counted(runtime.engine) == {invite["code"]: (1, 1)}

"""What stands around a group is asked for seldom, however often the group changes."""

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from infra.runtime import Runtime
from infra.sharing.landings import REST_S
from infra.sharing.links import KEPT_S
from tests.api.people import Town
from tests.pages.sharing import join, shared

STATES = 200


async def test_a_group_that_changes_all_the_time_is_asked_for_its_people_seldom(town: Town, runtime: Runtime) -> None:
    """Two hundred states: who is in is looked up at most ten times a second, the deal and its merchant less."""
    link = await shared(town)
    view = await runtime.groups.get_fresh(UUID(link.group_id))
    assert view is not None
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(" ".join(statement.split()))

    event.listen(runtime.landings._engine.sync_engine, "before_cursor_execute", note)
    begun = time.monotonic()
    for number in range(STATES):
        landing = await runtime.landings.around(replace(view, version=view.version + number))
        assert landing is not None
        assert [person.display_name for person in landing.people] == ["Mia"]
    took_s = time.monotonic() - begun
    event.remove(runtime.landings._engine.sync_engine, "before_cursor_execute", note)
    assert took_s < STATES * REST_S / 2  # whoever opens a page does not wait for the newest names
    of_people = [statement for statement in asked if "FROM participants" in statement]
    of_deals = [statement for statement in asked if "FROM deals" in statement]
    assert 1 <= len(of_people) <= 1 + took_s / REST_S
    assert len(of_deals) <= 1 + took_s / KEPT_S


async def test_who_waits_for_a_state_is_shown_its_people_even_if_woken_early(
    town: Town, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's loop counts whole milliseconds, so its timers ring early: what is kept then is not the answer."""
    link = await shared(town)
    await runtime.landings.of_group(UUID(link.group_id))
    own, sleep, slept = asyncio.current_task(), asyncio.sleep, list[float]()

    async def ring_early_once(delay_s: float) -> None:
        if asyncio.current_task() is own:
            slept.append(delay_s)
            delay_s = delay_s if len(slept) > 1 else 0
        await sleep(delay_s)

    await join(town, link, "Ada")
    view = await runtime.groups.get_fresh(UUID(link.group_id))
    assert view is not None
    monkeypatch.setattr(asyncio, "sleep", ring_early_once)
    landing = await runtime.landings.around(view, waits=True)
    assert landing is not None
    assert [person.display_name for person in landing.people] == ["Mia", "Ada"]
    assert sum(slept[1:]) <= REST_S

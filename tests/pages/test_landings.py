"""What stands around a group is asked for seldom, however often the group changes."""

import time
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import event

from infra.runtime import Runtime
from infra.sharing.landings import REST_S
from infra.sharing.links import KEPT_S
from tests.api.people import Town
from tests.pages.sharing import shared

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

"""Pages that stay open: parts of them come as the group changes, made once for all who watch."""

import asyncio
from uuid import UUID

import msgspec
from litestar import Litestar
from msgspec.structs import replace

from domain.sharing.language import Language
from infra.live import Seen
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.people import Town
from tests.live.reader import Reader
from tests.pages.reading import Read
from tests.pages.sharing import cut_off, shared

WATCHERS = 50


async def test_a_join_changes_the_pages_that_are_open(town: Town, app: Litestar) -> None:
    """The present state at once, then price, people and news after a join; nothing of the link's own is in it.

    The page of a link follows its group, so it goes on though the link is revoked.
    """
    link = await shared(town)
    pages = [Read((await town.nobody.get(path)).text) for path in (link.path, link.own_path)]
    followed = {page.one("div", id="live").get("data-hx-sse:connect", "").partition("?")[0] for page in pages}
    assert (await link.leader.ask("DELETE", f"/v1/invites/{link.code}")).status_code == 204
    readers = [Reader(app, path) for path in followed]
    for reader in readers:
        await reader.until("1 person is in")
    assert (await town.shopper("Ada").post(f"/v1/groups/{link.group_id}/participants")).status_code == 201
    for reader in readers:
        await reader.until("2 people are in")
        await reader.until(">Ada</bdi>")
        assert reader.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert link.code not in reader.text
        newest = _inside(reader)[-1]
        assert newest.errors == []
        assert "price now" in newest.text()
        await reader.hang_up()


async def test_a_closing_ends_the_stream_and_says_what_happened(town: Town, app: Litestar) -> None:
    """The last part has the group's fate and where else to go; then htmx is told to hang up."""
    link = await shared(town)
    other = await shared(town)
    reader = Reader(app, f"{link.own_path}/live")
    await reader.until("1 person is in")
    answer = await town.merchant.post(f"/v1/groups/{link.group_id}/cancel")
    assert answer.status_code == 200
    await reader.end()
    assert "The group was called off" in reader.text
    assert other.own_path in reader.text
    assert reader.text.rstrip().endswith("event: closed\ndata: closed")
    late = Reader(app, f"{link.own_path}/live", (b"last-event-id", b"2"))
    await late.end()
    assert late.text.rstrip().endswith("event: closed\ndata: closed")


async def test_a_part_is_made_once_for_all_who_watch(town: Town, app: Litestar, runtime: Runtime) -> None:
    """What one page was told is told to others as it is; fifty who ask for a state at once wait for one part."""
    link = await shared(town)
    reader = Reader(app, f"{link.own_path}/live")
    await reader.until("1 person is in")
    await reader.hang_up()
    landing = await runtime.landings.of_group(UUID(link.group_id))
    assert landing is not None
    seen = Seen(landing.group.version, msgspec.json.encode(landing.group), is_closed=False)
    parts = app.state.pages.live_parts
    known = parts.teller(landing, Language.EN)(seen)
    assert isinstance(known, bytes)
    assert known.decode() in reader.text
    told = await asyncio.gather(*(parts.teller(landing, Language.DE)(seen) for _ in range(WATCHERS)))
    assert {id(part) for part in told} == {id(parts.teller(landing, Language.DE)(seen))}


async def test_a_state_is_told_while_nothing_else_can_be_read(
    town: Town, app: Litestar, runtime: Runtime, settings: Settings
) -> None:
    """A price that is known is told, though PostgreSQL does not say now who has joined."""
    link = await shared(town)
    reader = Reader(app, f"{link.own_path}/live")
    await reader.until("1 person is in")
    view = await runtime.groups.get_fresh(UUID(link.group_id))
    assert view is not None
    async with cut_off(settings, runtime.landings, runtime.landings.links):
        runtime.hub.offer([replace(view, participants=2, version=view.version + 1)])
        await reader.until("2 people are in")
    assert "Mia" in _inside(reader)[-1].text()
    await reader.hang_up()


def _inside(reader: Reader) -> list[Read]:
    """The parts that have come, as a page has them."""
    blocks = [block for block in reader.text.split("\n\n") if "\ndata: " in block and "event:" not in block]
    return [Read.of_part("\n".join(line[6:] for line in block.split("\n")[1:])) for block in blocks]

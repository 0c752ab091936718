"""Holding the trees of who brought whom against the log: it says whose group each participant joined.

So a group's tree is its initiator, brought by nobody, and below the initiator everybody else in the order of the log.
The same is checked from the other side: what each initiator is told came of their links.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from cli.api_client import ApiRefused
from cli.crew import in_parallel
from cli.replay.plan import CURRENCY
from cli.replay.run import Replay

PAGE_ITEMS = 100


class CameBy(msgspec.Struct):
    """Through whose link somebody came."""

    sharer_name: str
    sharer_number: int | None


class Node(msgspec.Struct):
    """A participant in a tree."""

    number: int
    display_name: str
    came_by: CameBy | None


class Tree(msgspec.Struct):
    """A page of a group's tree."""

    items: list[Node]
    next_cursor: str | None


class Saving(msgspec.Struct):
    """Minor units of a currency."""

    currency: str
    amount: int


class Link(msgspec.Struct):
    """A link and what came of it."""

    group_id: str
    joins: int
    succeeded: int
    reached: int
    depth: int
    savings: list[Saving]


class Links(msgspec.Struct):
    """A page of a sharer's links."""

    items: list[Link]
    next_cursor: str | None


_tree = msgspec.json.Decoder(Tree)
_links = msgspec.json.Decoder(Links)


async def check_trees(replay: Replay, advance: Callable[[], None]) -> None:
    """Compare the tree of every group that anybody joined, and the links of everybody who initiated one."""
    await in_parallel(replay.shared_places, replay.concurrency, partial(_check_group, replay, advance))
    by_sharer = replay.shared_places_of
    await in_parallel(by_sharer.items(), replay.concurrency, partial(_check_links, replay, advance))


async def _check_group(replay: Replay, advance: Callable[[], None], place: int) -> None:
    try:
        nodes = await _tree_of(replay, place)
    except ApiRefused as refusal:
        replay.note_mismatch(place, f"the initiator may not see who brought whom: {refusal}")
    else:
        _compare(replay, place, nodes)
    advance()


async def _tree_of(replay: Replay, place: int) -> list[Node]:
    token, path = (
        replay.cast.token(replay.log[place].initiator),
        f"/v1/groups/{replay.group_ids.get(place)}/invite-tree",
    )
    nodes: list[Node] = []
    cursor = ""
    while True:
        answer = await replay.client.ask("who brought whom", "GET", f"{path}?limit={PAGE_ITEMS}{cursor}", token=token)
        page = _tree.decode(answer)
        nodes += page.items
        if page.next_cursor is None:
            return nodes
        cursor = f"&cursor={page.next_cursor}"


def _compare(replay: Replay, place: int, nodes: list[Node]) -> None:
    group, name_of = replay.log[place], replay.cast.name
    names = {node.number: node.display_name for node in nodes}
    found = [(node.display_name, node.came_by and names.get(node.came_by.sharer_number or 0)) for node in nodes]
    initiator = name_of(group.initiator)
    expected = [(initiator, None), *((name_of(friend), initiator) for friend in group.friends)]
    replay.brought += sum(sharer is not None for _, sharer in found)
    if found != expected:
        replay.note_mismatch(place, f"who brought whom is told as {found}, expected {expected}")


async def _check_links(replay: Replay, advance: Callable[[], None], shared: tuple[int, list[int]]) -> None:
    shopper = shared[0]
    places = {replay.group_ids.get(place): place for place in shared[1]}
    try:
        links = await _links_of(replay, shopper)
    except ApiRefused as refusal:
        for place in places.values():
            replay.note_mismatch(place, f"shopper {shopper} may not see their links: {refusal}")
    else:
        for group_id, place in places.items():
            _check_link(replay, place, [link for link in links if link.group_id == group_id])
        if len(links) != len(places):
            first = next(iter(places.values()))
            replay.note_mismatch(first, f"shopper {shopper} has {len(links)} links, expected {len(places)}")
    advance()


async def _links_of(replay: Replay, shopper: int) -> list[Link]:
    links: list[Link] = []
    cursor = ""
    while True:
        path = f"/v1/me/invites?limit={PAGE_ITEMS}{cursor}"
        page = _links.decode(await replay.client.ask("look at my links", "GET", path, token=replay.cast.token(shopper)))
        links += page.items
        if page.next_cursor is None:
            return links
        cursor = f"&cursor={page.next_cursor}"


def _check_link(replay: Replay, place: int, links: list[Link]) -> None:
    group = replay.log[place]
    friends, saved_each = len(group.friends), replay.items[group.item].solo_price - replay.fate(place).unit_price
    expected = [Link("", friends, friends, friends, 1, [Saving(CURRENCY, friends * saved_each)])]
    found = [msgspec.structs.replace(link, group_id="") for link in links]
    if found != expected:
        replay.note_mismatch(place, f"the initiator is told that the link led to {found}, expected {expected}")

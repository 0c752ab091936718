"""Holding the trees of who brought whom against the log: it says whose group each participant joined.

So a group's tree is its initiator, brought by nobody, and below the initiator everybody else in the order of the log.
The same is checked from the other side: what each initiator is told came of their links.
"""

from collections.abc import Callable
from functools import partial
from itertools import zip_longest

import msgspec

from cli.api_client import ApiRefused
from cli.crew import in_parallel
from cli.replay.paging import Page, every_item
from cli.replay.plan import CURRENCY
from cli.replay.run import Replay


class CameBy(msgspec.Struct):
    """Through whose link somebody came."""

    sharer_number: int | None


class Node(msgspec.Struct):
    """A participant in a tree."""

    number: int
    display_name: str
    came_by: CameBy | None


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


_decode_nodes = msgspec.json.Decoder(Page[Node]).decode
_decode_links = msgspec.json.Decoder(Page[Link]).decode


async def check_trees(replay: Replay, advance: Callable[[], None]) -> None:
    """Compare the tree of every group that anybody joined, and the links of everybody who initiated one."""
    await in_parallel(replay.shared_lines, replay.concurrency, partial(_check_group, replay, advance))
    by_sharer = replay.shared_lines_of
    await in_parallel(by_sharer.items(), replay.concurrency, partial(_check_links, replay, advance))


async def _check_group(replay: Replay, advance: Callable[[], None], line: int) -> None:
    token = replay.cast.token(replay.log[line].initiator)
    path = f"/v1/groups/{replay.group_ids.get(line)}/invite-tree"
    try:
        nodes = await every_item(replay.client, "who brought whom", path, token, _decode_nodes)
    except ApiRefused as refusal:
        replay.note_mismatch(line, f"the initiator may not see who brought whom: {refusal}")
    else:
        _compare(replay, line, nodes)
    advance()


def _compare(replay: Replay, line: int, nodes: list[Node]) -> None:
    group, name_of = replay.log[line], replay.cast.name
    names = {node.number: node.display_name for node in nodes}
    found = [(node.display_name, node.came_by and names.get(node.came_by.sharer_number or 0)) for node in nodes]
    initiator = name_of(group.initiator)
    expected = [(initiator, None), *((name_of(friend), initiator) for friend in group.friends)]
    replay.brought += sum(sharer is not None for _, sharer in found)
    for number, (told, logged) in enumerate(zip_longest(found, expected), 1):
        if told != logged:
            replay.note_mismatch(line, f"participant {number} and by whom is told as {told}, expected {logged}")
            return


async def _check_links(replay: Replay, advance: Callable[[], None], shared: tuple[int, list[int]]) -> None:
    shopper, shared_lines = shared
    lines, token = {replay.group_ids.get(line): line for line in shared_lines}, replay.cast.token(shopper)
    try:
        links = await every_item(replay.client, "look at my links", "/v1/me/invites", token, _decode_links)
    except ApiRefused as refusal:
        for line in lines.values():
            replay.note_mismatch(line, f"shopper {shopper} may not see their links: {refusal}")
    else:
        for group_id, line in lines.items():
            _check_link(replay, line, [link for link in links if link.group_id == group_id])
        if len(links) != len(lines):
            first = next(iter(lines.values()))
            replay.note_mismatch(first, f"shopper {shopper} has {len(links)} links, expected {len(lines)}")
    advance()


def _check_link(replay: Replay, line: int, links: list[Link]) -> None:
    group = replay.log[line]
    friends, saved_each = len(group.friends), replay.items[group.item].solo_price - replay.fate(line).unit_price
    expected = [Link("", friends, friends, friends, 1, [Saving(CURRENCY, friends * saved_each)])]
    found = [msgspec.structs.replace(link, group_id="") for link in links]
    if found != expected:
        replay.note_mismatch(line, f"the initiator is told that the link led to {found}, expected {expected}")

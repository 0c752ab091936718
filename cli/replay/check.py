"""Holding every outcome against the log, as each shopper sees it: one list of groups per shopper, not one per group.

So every place of every group is looked at: its group's status, participants and price, and what its shopper pays.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from cli.api_client import ApiRefused
from cli.crew import not_done_with
from cli.replay.paging import Page, every_item
from cli.replay.plan import Fate
from cli.replay.run import Replay

CLOSING_GRACE_S = 30
LOOK_AGAIN_AFTER_S = 0.5


class You(msgspec.Struct):
    """The asking shopper's own place."""

    quantity: int
    pays: int | None


class MyGroup(msgspec.Struct):
    """A group as one of its shoppers sees it."""

    id: str
    leader_id: str | None
    status: str
    participants: int
    unit_price: int
    expires_at: datetime
    closed_at: datetime | None
    you: You


_decode_groups = msgspec.json.Decoder(Page[MyGroup]).decode


async def check_outcomes(replay: Replay, advance: Callable[[], None]) -> None:
    """Compare all that the log's shoppers see with the log; groups still open get `CLOSING_GRACE_S` to close."""
    waiting, patience_ends_at = list(replay.lines_of), time.monotonic() + CLOSING_GRACE_S
    while waiting:
        patient = time.monotonic() < patience_ends_at
        look = partial(_check_shopper, replay, patient=patient)
        waiting = await not_done_with(waiting, replay.concurrency, look, advance)
        if waiting:
            await asyncio.sleep(LOOK_AGAIN_AFTER_S)


async def _check_shopper(replay: Replay, shopper: int, *, patient: bool) -> bool:
    """Whether this shopper is done with; not while a group of theirs is open and there is time."""
    lines = replay.lines_of[shopper]
    try:
        groups = await _groups_of(replay, shopper)
    except ApiRefused as refusal:
        for line in lines:
            replay.note_mismatch(line, f"shopper {shopper} may not see their groups: {refusal}")
        return True
    if patient and any(group.closed_at is None for group in groups.values()):
        return False
    for line in lines:
        _check_place(replay, line, shopper, groups.pop(replay.group_ids.get(line, ""), None))
    if groups:
        replay.note_mismatch(lines[0], f"shopper {shopper} is in {len(groups)} groups too many: {', '.join(groups)}")
    return True


async def _groups_of(replay: Replay, shopper: int) -> dict[str, MyGroup]:
    token = replay.cast.token(shopper)
    groups = await every_item(replay.client, "look at my groups", "/v1/me/groups", token, _decode_groups)
    return {group.id: group for group in groups}


def _check_place(replay: Replay, line: int, shopper: int, seen: MyGroup | None) -> None:
    """Compare one shopper's view of one group; the initiator's view also counts as the group's outcome."""
    group, fate = replay.log[line], replay.fate(line)
    if seen is None:
        replay.note_mismatch(line, f"shopper {shopper} is not in the group")
        return
    if shopper == group.initiator:
        replay.outcomes[seen.status] += 1
        _note_closing(replay, line, seen)
    differences = _differences(fate, seen)
    if seen.leader_id != str(replay.cast.shopper_id(group.initiator)):
        differences.append("its leader is not the initiator")
    if differences:
        replay.note_mismatch(line, f"shopper {shopper} sees: {'; '.join(differences)}")


def _note_closing(replay: Replay, line: int, seen: MyGroup) -> None:
    if seen.closed_at is not None:
        replay.closed_at[line] = seen.closed_at
        if not replay.fate(line).full:
            replay.figures.lateness_s.append((seen.closed_at - seen.expires_at).total_seconds())


def _differences(fate: Fate, seen: MyGroup) -> list[str]:
    compared = (
        ("status", fate.status, seen.status),
        ("participants", fate.participants, seen.participants),
        ("unit_price", fate.unit_price, seen.unit_price),
        ("quantity", 1, seen.you.quantity),
        ("pays", fate.pays, seen.you.pays),
    )
    differences = [f"{name} {found}, expected {expected}" for name, expected, found in compared if found != expected]
    if seen.closed_at is not None and (seen.closed_at < seen.expires_at) is not fate.full:
        differences.append(f"closed {'at its deadline, expected at once' if fate.full else 'before its deadline'}")
    return differences

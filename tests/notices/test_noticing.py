"""The duty at work in a process, as a worker has it."""

import time

from infra.notices.inbox import count_unread
from infra.runtime import started
from infra.settings import Settings
from tests.notices.square import Square
from tests.waiting import eventually
from workers.duties import ALL_DUTIES, performed
from workers.noticing import NOTICING

WITHIN_S = 2.0


async def test_success_is_told_within_two_seconds(square: Square, settings: Settings) -> None:
    """From the join that fills the group to the inbox, by the duty's own looks."""
    assert NOTICING in ALL_DUTIES
    ann, ben = await square.person(), await square.person()
    warmer = await square.full_group(*await square.people(2))
    async with started(settings) as runtime, performed(runtime, is_worker=True, duties=[NOTICING]):
        told = "SELECT count(*) = 2 FROM notices WHERE group_id = :id"
        await eventually(lambda: square.value(told, id=warmer), "the duty leads")
        await square.full_group(ann, ben)
        joined_at = time.monotonic()
        await eventually(lambda: count_unread(runtime.engine, ann), "the leader is told")
        await eventually(lambda: count_unread(runtime.engine, ben), "so is who came")
        assert time.monotonic() - joined_at < WITHIN_S

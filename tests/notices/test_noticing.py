"""The duty at work in a process, as a worker has it."""

import time
from typing import cast

from infra.notices.inbox import count_unread
from infra.notices.keeping import ROWS_AT_ONCE
from infra.runtime import Runtime, started
from infra.settings import Settings
from tests.notices.square import Square
from tests.waiting import eventually
from workers.duties import ALL_DUTIES, performed
from workers.duty import Context
from workers.noticing import NOTICING, Noticing

WITHIN_S = 2.0


async def test_what_is_old_is_forgotten_in_steps(square: Square) -> None:
    """More than is forgotten at once goes on in the next step: nobody waits for it, and nothing of it stays."""
    await square.shop.make(
        "INSERT INTO tellings (about, kind, stage, deal_id, due_at, done_at)"
        " SELECT gen_random_uuid(), 'failed', 0, gen_random_uuid(), now(), now() - interval '40 days'"
        " FROM generate_series(1, CAST(:rows AS int))",
        rows=ROWS_AT_ONCE + 1,
    )
    noticing, context = Noticing(), Context(cast("Runtime", None), square.shop.engine)
    left = []
    for _ in range(2):
        await noticing.step(context)
        left.append(await square.value("SELECT count(*) FROM tellings"))
    assert left == [1, 0]


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

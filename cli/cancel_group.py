"""`tuan cancel-group`: the platform calls an open group off, and nobody pays."""

import argparse
import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from cli.commands import Commands, add_command, counted, identifier
from cli.reach import reach_migrated_database
from infra.logging import set_up_logging
from infra.settings import Settings

if TYPE_CHECKING:
    from domain.groupbuy.group import Group
    from infra.lane import Answer

REFUSED = 1
COULD_NOT_ASK = 2


def register(commands: Commands) -> None:
    parser = add_command(commands, "cancel-group", "call an open group off, for the platform: nobody pays", execute)
    parser.add_argument("group_id", type=identifier, metavar="GROUP_ID")


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when the group is cancelled, 1 when it cannot be any more, 2 when nobody could be asked."""
    from domain.errors import DomainError
    from infra.unavailable import Unavailable

    reach_migrated_database(settings)
    set_up_logging(replace(settings, log_level="error"))
    try:
        answer = asyncio.run(_cancel(settings, arguments.group_id))
    except (DomainError, Unavailable) as no:
        print(f"tuan: {no}", file=sys.stderr)
        return REFUSED if isinstance(no, DomainError) else COULD_NOT_ASK
    _tell(answer)
    return 0


async def _cancel(settings: Settings, group_id: UUID) -> "Answer":
    from domain.groupbuy.commands import CancelGroup
    from infra.identity.audit import Actor, ActorKind, Deed
    from infra.runtime import started

    deed = Deed(Actor(ActorKind.OPERATOR), "group.cancel")
    async with started(settings, "tuan cancel-group") as runtime:
        return await runtime.tell(CancelGroup(group_id=group_id, merchant_id=None), deed=deed)


def _tell(answer: "Answer") -> None:
    from domain.groupbuy.world import Accepted

    assert isinstance(answer, Accepted), "a command without an idempotency key has no stored answer"
    group = answer.state.group
    assert group is not None
    if not answer.events:
        print(f"Group {group.id} was cancelled already; nothing changed.")
        return
    print(f"Group {group.id} is cancelled: {counted(group.participants, 'participant')}; nobody pays.")
    print(_money(group))


def _money(group: "Group") -> str:
    from domain.pricing.currency import format_minor

    if group.terms.payment is None:
        return "No money was taken through Tuan."
    held = format_minor(group.ceiling_price * group.units, group.terms.currency)
    awaited = f" (and {counted(group.awaiting, 'payment')} not finished yet)" if group.awaiting else ""
    return (
        f"{held} held at {group.terms.payment.gateway} goes back{awaited}: a worker (or an API process) does it within"
        " seconds; `tuan reconcile` tells whether everything is back."
    )

"""Mending what is certain, and looking afterwards whether it is mended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import DomainError
from domain.groupbuy.commands import ConfirmPayment
from infra.payments.port import GatewayPayment, GatewayRefused, PaymentGateway
from infra.runtime import Runtime
from workers.balancing.difference import Outcome, Repair
from workers.balancing.looking import Sure, Suspect, end_at, look_again
from workers.balancing.ours import Ours

_CAME_BACK = "was repaired and is different again: see who else is at work on it"

_log = structlog.get_logger(__name__)


async def repair_all(
    runtime: Runtime, engine: AsyncEngine, gateway: PaymentGateway, found: Sequence[Sure], now: datetime
) -> list[Outcome]:
    """Mend what is certain of these differences, and look at it once more. Raises GatewayUnavailable."""
    certain = [sure for sure in found if sure.difference.repair is not Repair.NONE]
    refusals = {_suspect(sure): await _repair(runtime, gateway, sure) for sure in certain}
    looked_at = await look_again(engine, gateway, list(refusals), now) if certain else []
    still = {_suspect(sure): sure.difference for sure in looked_at}
    outcomes: list[Outcome] = []
    for sure in found:
        suspect = _suspect(sure)
        if sure.difference.repair is Repair.NONE:
            outcomes.append(Outcome(sure.difference, is_repaired=False))
        elif suspect in still:
            advice = refusals[suspect] or _CAME_BACK
            outcomes.append(Outcome(replace(still[suspect], advice=advice), is_repaired=False))
        else:
            outcomes.append(Outcome(sure.difference, is_repaired=True))
    return outcomes


async def _repair(runtime: Runtime, gateway: PaymentGateway, sure: Sure) -> str | None:
    """Why it was refused; None where it was done."""
    difference, ours, theirs = sure.difference, sure.ours, sure.theirs
    assert theirs is not None
    try:
        if difference.repair is Repair.CONFIRM and ours is not None:
            await runtime.tell(_confirm(ours, theirs))
        else:
            await end_at(gateway, theirs)
    except GatewayRefused as refused:
        return f"{gateway.name} refuses ({refused.reason}): {refused}; do it there by hand"
    except DomainError as refused:
        return f"refused: {refused}"
    _log.warning(
        "balance_repaired",
        what=str(difference.what),
        gateway=gateway.name,
        order_id=str(difference.order_id),
        theirs=difference.theirs,
        ours=difference.ours,
    )
    return None


def _suspect(sure: Sure) -> Suspect:
    return Suspect(sure.order_id, sure.difference.reference)


def _confirm(ours: Ours, theirs: GatewayPayment) -> ConfirmPayment:
    return ConfirmPayment(
        deal_id=ours.deal_id,
        group_id=ours.group_id,
        shopper_id=ours.shopper_id,
        order_id=ours.order_id,
        reference=theirs.reference,
    )

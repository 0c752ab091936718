"""The duty of balancing: once a day by itself, and whenever a person asks (`tuan reconcile`)."""

import structlog

from infra.cannot_start import CannotStart
from infra.payments.port import GatewayUnavailable
from workers.balancing.balance import Balance, balance
from workers.balancing.period import due_in_s
from workers.duty import Context, Duty

EVERY_H = 24
LOOK_EVERY_S = 600.0
"""How often at least it is asked whether a run is due; after a run that a gateway prevented, when the next is tried."""

_log = structlog.get_logger(__name__)


async def step(context: Context) -> float:
    """Compare everything if a day has passed; answers how long to rest."""
    async with context.runtime.engine.connect() as connection:
        rest_s = await due_in_s(connection, EVERY_H)
    if rest_s is not None and rest_s <= 0:
        try:
            _tell(await balance(context.runtime, gives_back_unknown=False))
        except (GatewayUnavailable, CannotStart) as error:
            _log.warning("balancing_waits", why=str(error) or type(error).__name__)
        rest_s = None
    return LOOK_EVERY_S if rest_s is None else min(rest_s, LOOK_EVERY_S)


BALANCING = Duty("balancing", 9, step)


def _tell(found: Balance) -> None:
    for outcome in found.named:
        difference = outcome.difference
        if not outcome.is_repaired:
            _log.error(
                "books_differ",
                what=str(difference.what),
                order_id=str(difference.order_id) if difference.order_id else None,
                group_id=str(difference.group_id) if difference.group_id else None,
                gateway=difference.gateway or None,
                theirs=difference.theirs,
                ours=difference.ours,
                advice=difference.advice,
            )
    _log.info(
        "balanced",
        payments=found.payments,
        orders=found.orders,
        groups=found.groups,
        found=found.found,
        remaining=found.remaining,
    )

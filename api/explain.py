"""Why did I pay this: what became of a shopper's money in a group, from the rows themselves."""

from uuid import UUID

import msgspec

from api.answers import PRIVATE, Answer, answered
from api.explaining.because import NothingPaid, because_of
from api.explaining.case import Case, case_of, total
from api.explaining.lines import Line, lines_of
from api.explaining.summary import summary_of
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import past_self
from domain.groupbuy.errors import GroupNotFound
from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import Tier
from infra.reading.explain import read_facts


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a shopper's money in a group and why; amounts are minor units of `currency`.

    `participants` and `tier` (null below the first) are those at closing, before it those of now; `unit_price` is the
    price at that count, null where nobody pays. `refunded` is what is decided to go back of `captured`. `because` says
    why nothing is paid, where nothing is. `summary` and the sentences of `lines` are for people.
    """

    group_id: UUID
    deal_id: UUID
    order_id: UUID
    status: GroupStatus
    currency: str
    participants: int
    tier: Tier | None
    quantity: int
    ceiling_price: int
    unit_price: int | None
    hold: int
    captured: int
    released: int
    refunded: int
    because: NothingPaid | None
    summary: str
    lines: list[Line]


@route("GET", "/v1/groups/{group_id}/explain")
async def explain(request: AnyRequest) -> Answer:
    """For whoever has, or had, a place in the group; to others it is not there."""
    group_id = path_id(request, "group_id")
    facts = await read_facts(runtime_of(request).engine, group_id, await past_self(request, group_id))
    if facts is None:
        raise GroupNotFound(group_id)
    return answered(_explanation(case_of(facts)), headers=PRIVATE)


def _explanation(case: Case) -> Explanation:
    group = case.group
    return Explanation(
        group_id=group.id,
        deal_id=group.deal_id,
        order_id=case.order_id,
        status=group.status,
        currency=group.terms.currency,
        participants=group.participants,
        tier=case.tier,
        quantity=case.quantity,
        ceiling_price=group.ceiling_price,
        unit_price=group.unit_price if group.is_open else group.final_unit_price,
        hold=case.hold_minor,
        captured=total(case.captured),
        released=total(case.released),
        refunded=case.refunded_minor,
        because=because_of(case),
        summary=summary_of(case),
        lines=lines_of(case),
    )

"""Operations of administrators, and the part of the audit log that a merchant reads, for their callers."""

from typing import Any, Final

from api.admin import ReasonBody
from api.contract import examples, order_examples
from api.contract.operation import Operation, Received, Sent
from api.group_answers import GroupAnswer
from domain.groupbuy.errors import GroupClosed, GroupNotFound
from domain.identity.errors import MerchantNotFound, StandingNotPossible
from infra.reading.administration import GroupFound, MerchantFound, OrderFound
from infra.reading.audit import AuditEntry
from infra.reading.page import Page

_ID: Final = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
_AT: Final = "2026-05-01T12:00:00Z"
_PAGE: Final = ("limit", "cursor")
_MERCHANT: Final = {
    "id": _ID,
    "name": "Leaf & Co",
    "contact": "sales@leaf.example",
    "country": "GB",
    "about": "Tea since 1901.",
    "standing": "suspended",
    "standing_reason": "Counterfeit goods.",
    "applied_at": _AT,
    "decided_at": _AT,
    "version": 3,
    "is_winding_down": True,
}
_ENTRY: Final = {
    "id": 4711,
    "at": _AT,
    "actor": {"kind": "administrator", "id": _ID},
    "merchant_id": _ID,
    "action": "group.cancel",
    "thing": {"kind": "group", "id": _ID},
    "before": {"status": "open", "closed_by": None},
    "after": {"status": "cancelled", "closed_by": "platform", "reason": "Counterfeit goods."},
    "request_id": "9c1f0a52d3b7e684-2a",
}
_REASON: Final = Received(ReasonBody, {"reason": "Counterfeit goods."})
_DECIDING: Final = (MerchantNotFound, StandingNotPossible)
_LOOKING: Final = "What was looked for, and what was found, is in the audit log."


def _merchant(meaning: str) -> Any:  # noqa: ANN401 - as Sent's own fields
    return Sent(meaning, MerchantFound, _MERCHANT)


def _entries(meaning: str) -> Any:  # noqa: ANN401 - as Sent's own fields
    return Sent(meaning, Page[AuditEntry], examples.page(_ENTRY))


ADMIN: Final[dict[str, Operation]] = {
    "GET /v1/admin/merchants": Operation(
        "find_merchants",
        summary="Merchants, whoever applied last first",
        description=_LOOKING,
        query=("standing", *_PAGE),
        answers={200: Sent("A page of merchants.", Page[MerchantFound], examples.page(_MERCHANT))},
    ),
    "POST /v1/admin/merchants/{merchant_id}/approve": Operation(
        "approve_merchant",
        summary="Let a merchant sell who applied or was refused",
        answers={200: _merchant("The merchant, approved.")},
        problems=_DECIDING,
    ),
    "POST /v1/admin/merchants/{merchant_id}/refuse": Operation(
        "refuse_merchant",
        summary="Refuse an application",
        body=_REASON,
        answers={200: _merchant("The merchant, refused.")},
        problems=_DECIDING,
    ),
    "POST /v1/admin/merchants/{merchant_id}/suspend": Operation(
        "suspend_merchant",
        summary="Stop a merchant from selling, and give everybody in open groups the money back",
        description=(
            "From now on no group opens on its deals. Within seconds the deals are paused and the open groups "
            "cancelled; `is_winding_down` says that this is still at work. What was sold before is still owed."
        ),
        body=_REASON,
        answers={200: _merchant("The merchant, suspended.")},
        problems=_DECIDING,
    ),
    "POST /v1/admin/merchants/{merchant_id}/reinstate": Operation(
        "reinstate_merchant",
        summary="Let a suspended merchant sell again",
        description="Its deals stay paused: the merchant resumes what is still wanted.",
        answers={200: _merchant("The merchant, approved again.")},
        problems=_DECIDING,
    ),
    "GET /v1/admin/groups": Operation(
        "find_groups",
        summary="Groups of everybody, the one opened last first",
        description=_LOOKING,
        query=("sought", "in_deal", "at_merchant", "group_status", *_PAGE),
        answers={
            200: Sent(
                "A page of groups.",
                Page[GroupFound],
                examples.page(examples.GROUP | {"merchant_id": _ID, "deal_title": "Jasmine tea, 250 g"}),
            )
        },
    ),
    "POST /v1/admin/groups/{group_id}/cancel": Operation(
        "call_off_group",
        summary="Call an open group off, for the platform",
        description="Nobody pays. Cancelled already, it is answered as it is.",
        body=_REASON,
        answers={200: Sent("The cancelled group.", GroupAnswer, examples.GROUP | {"status": "cancelled", "you": None})},
        problems=(GroupNotFound, GroupClosed),
    ),
    "GET /v1/admin/orders": Operation(
        "find_orders",
        summary="What anybody has tried to buy, paid or not, newest first",
        description=_LOOKING,
        query=("sought", "of_order", "of_shopper", "at_merchant", "shown_status", *_PAGE),
        answers={
            200: Sent(
                "A page of orders.",
                Page[OrderFound],
                examples.page(order_examples.ORDER | {"merchant_id": _ID, "shopper_id": _ID}),
            )
        },
    ),
    "GET /v1/admin/audit": Operation(
        "read_audit",
        summary="The audit log, newest first",
        query=("at_merchant", "by_actor", "about_thing", "action", *_PAGE),
        answers={200: _entries("A page of entries.")},
    ),
}
MERCHANT_AUDIT: Final[dict[str, Operation]] = {
    "GET /v1/merchants/{merchant_id}/audit": Operation(
        "read_own_audit",
        summary="What was done here, by staff, keys, the platform and workers, newest first",
        query=_PAGE,
        answers={200: _entries("A page of entries.")},
        problems=(MerchantNotFound,),
    ),
}

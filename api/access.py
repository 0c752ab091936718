"""Who may call what: every operation of the API in one table, and the one place that asks for a token."""

from enum import Enum
from typing import Final

from api.refused import NotAuthenticated, RoleMissing
from api.requests import AnyRequest, header, runtime_of
from infra.tokens import Claims, TokenRefused


class Access(Enum):
    """Who may call an operation; a token that is sent must be good, except where nobody looks at it.

    `SIGNED_IN` is anybody with a token: what the operation is about says whether it is theirs.
    """

    UNASKED = None
    ANYONE = ""
    SIGNED_IN = "*"
    SHOPPER = "shopper"
    MERCHANT = "merchant"


_UNASKED, _ANYONE, _SIGNED_IN, _SHOPPER, _MERCHANT = Access

WHO_MAY: Final = {
    "POST /v1/deals": _MERCHANT,
    "GET /v1/deals": _ANYONE,
    "GET /v1/deals/{deal_id}": _ANYONE,  # a draft only its merchant
    "PATCH /v1/deals/{deal_id}": _MERCHANT,  # its own, here and below: others get 404
    "POST /v1/deals/{deal_id}/publish": _MERCHANT,
    "POST /v1/deals/{deal_id}/pause": _MERCHANT,
    "POST /v1/deals/{deal_id}/resume": _MERCHANT,
    "POST /v1/deals/{deal_id}/end": _MERCHANT,
    "POST /v1/price-schedules/preview": _ANYONE,
    "POST /v1/deals/{deal_id}/groups": _SHOPPER,
    "GET /v1/deals/{deal_id}/groups": _ANYONE,
    "GET /v1/groups/{group_id}": _ANYONE,
    "GET /v1/groups/{group_id}/live": _ANYONE,
    "POST /v1/groups/{group_id}/participants": _SHOPPER,
    "DELETE /v1/groups/{group_id}/participants/me": _SHOPPER,
    "GET /v1/groups/{group_id}/participants": _ANYONE,
    "POST /v1/groups/{group_id}/cancel": _MERCHANT,
    "GET /v1/groups/{group_id}/explain": _SHOPPER,  # who has or had a place; others get 404
    "GET /v1/me/groups": _SHOPPER,
    "POST /v1/groups/{group_id}/invites": _SHOPPER,
    "GET /v1/invites/{code}": _ANYONE,
    "GET /v1/me/orders": _SHOPPER,
    "GET /v1/me/statement": _MERCHANT,
    "GET /v1/orders": _MERCHANT,
    "GET /v1/orders/{order_id}": _SIGNED_IN,  # its shopper and its merchant; others get 404
    "POST /v1/orders/shipments": _MERCHANT,
    "POST /v1/orders/{order_id}/ship": _MERCHANT,
    "POST /v1/orders/{order_id}/deliver": _SIGNED_IN,  # as above
    "POST /v1/orders/{order_id}/cancel": _MERCHANT,
    "POST /v1/orders/{order_id}/refunds": _MERCHANT,
    "POST /v1/deals/{deal_id}/orders": _SHOPPER,
    "POST /v1/orders/{order_id}/payment": _SHOPPER,  # its own; others get 404
    "POST /v1/webhooks/{gateway}": _UNASKED,  # whoever signs as the gateway
    "GET /sandbox/payments/{reference}/step": _UNASKED,
    "POST /sandbox/payments/{reference}/step": _UNASKED,  # whoever has the client secret
    "GET /healthz": _UNASKED,
    "GET /readyz": _UNASKED,
    "GET /schema": _UNASKED,
    "GET /schema/openapi.json": _UNASKED,
    "GET /problems/{slug}": _UNASKED,
}

_BEARER: Final = b"bearer "


async def authorise(request: AnyRequest) -> None:
    """Let the request through with its caller noted, or raise `NotAuthenticated` or `RoleMissing`.

    It runs before every handler; every route says in its `opt` who may call it.
    """
    scope = request.scope
    access: Access = scope["route_handler"].opt["access"]
    if access is Access.UNASKED:
        return
    caller = scope["caller"] = _caller(request)  # type: ignore[typeddict-unknown-key]  # ours, for handlers to find
    if access is Access.ANYONE:
        return
    if caller is None:
        raise NotAuthenticated
    if access is not Access.SIGNED_IN and access.value not in caller.roles:
        raise RoleMissing(access.value or "")


def caller_of(request: AnyRequest) -> Claims:
    """Who calls an operation that asks for a role."""
    caller: Claims = request.scope["caller"]  # type: ignore[typeddict-item]  # ours, see authorise
    return caller


def caller_if_known(request: AnyRequest) -> Claims | None:
    """Who calls an operation open to anyone; None without a token."""
    caller: Claims | None = request.scope["caller"]  # type: ignore[typeddict-item]  # ours, see authorise
    return caller


def _caller(request: AnyRequest) -> Claims | None:
    credentials = header(request, b"authorization")
    if credentials is None:
        return None
    if credentials[:7].lower() != _BEARER:
        raise NotAuthenticated("the Authorization header must be: Bearer <token>")
    try:
        return runtime_of(request).tokens.verify(credentials[7:].strip().decode("latin-1"))
    except TokenRefused as refused:
        raise NotAuthenticated(refused.reason) from refused

"""Who may call what: every operation of the API in one table, and the one place that asks for a token."""

from enum import Enum
from typing import Final
from uuid import UUID

from api.refused import (
    MerchantNotApproved,
    NotAuthenticated,
    NotStaff,
    PermissionMissing,
    PersonNeeded,
    RoleMissing,
)
from api.requests import ID_MESSAGE, AnyRequest, header, invalid, path_id, read_id, runtime_of
from domain.identity.errors import MerchantNotFound
from domain.identity.permissions import SELLING, Permission, Role, Standing
from infra.identity.api_keys import BEGINNING as KEY_BEGINNING
from infra.tokens import Claims, TokenRefused


class Access(Enum):
    """Who may call an operation; a token that is sent must be good, except where nobody looks at it.

    `SIGNED_IN` is anybody with a token or an API key: what the operation is about says whether it is theirs; `PERSON`
    is anybody but a key.
    """

    UNASKED = None
    ANYONE = ""
    SIGNED_IN = "*"
    PERSON = "person"
    SHOPPER = Role.SHOPPER
    ADMIN = Role.ADMIN


_UNASKED, _ANYONE, _SIGNED_IN, _PERSON, _SHOPPER, _ADMIN = Access
_MAY = Permission

WHO_MAY: Final[dict[str, Access | Permission]] = {
    "POST /v1/deals": _MAY.DEALS_WRITE,
    "GET /v1/deals": _ANYONE,
    "GET /v1/deals/{deal_id}": _ANYONE,  # a draft only its merchant
    "PATCH /v1/deals/{deal_id}": _MAY.DEALS_WRITE,  # its own, here and below: others get 404
    "POST /v1/deals/{deal_id}/publish": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/pause": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/resume": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/end": _MAY.DEALS_WRITE,
    "POST /v1/price-schedules/preview": _ANYONE,
    "POST /v1/deals/{deal_id}/groups": _SHOPPER,
    "GET /v1/deals/{deal_id}/groups": _ANYONE,
    "GET /v1/groups/{group_id}": _ANYONE,
    "GET /v1/groups/{group_id}/live": _ANYONE,
    "POST /v1/groups/{group_id}/participants": _SHOPPER,
    "DELETE /v1/groups/{group_id}/participants/me": _SHOPPER,
    "GET /v1/groups/{group_id}/participants": _ANYONE,
    "POST /v1/groups/{group_id}/cancel": _MAY.GROUPS_CANCEL,
    "GET /v1/groups/{group_id}/explain": _SHOPPER,  # who has or had a place; others get 404
    "GET /v1/me/groups": _SHOPPER,
    "POST /v1/groups/{group_id}/invites": _SHOPPER,
    "GET /v1/invites/{code}": _ANYONE,
    "GET /v1/me/orders": _SHOPPER,
    "GET /v1/me/statement": _MAY.STATEMENTS_READ,
    "GET /v1/orders": _MAY.ORDERS_READ,
    "GET /v1/orders/{order_id}": _SIGNED_IN,  # its shopper and its merchant; others get 404
    "POST /v1/orders/shipments": _MAY.ORDERS_SHIP,
    "POST /v1/orders/{order_id}/ship": _MAY.ORDERS_SHIP,
    "POST /v1/orders/{order_id}/deliver": _SIGNED_IN,  # as above
    "POST /v1/orders/{order_id}/cancel": _MAY.ORDERS_REFUND,
    "POST /v1/orders/{order_id}/refunds": _MAY.ORDERS_REFUND,
    "POST /v1/deals/{deal_id}/orders": _SHOPPER,
    "POST /v1/orders/{order_id}/payment": _SHOPPER,  # its own; others get 404
    "POST /v1/sign-in/codes": _UNASKED,
    "POST /v1/sign-in/code": _ANYONE,  # a guest's token makes the guest's account the one signed in to
    "POST /v1/sign-in/id-token": _ANYONE,  # as above
    "POST /v1/sign-in/wechat": _ANYONE,
    "POST /v1/sign-in/guest": _UNASKED,
    "POST /v1/sign-in/refresh": _UNASKED,  # whoever has the refresh token
    "POST /v1/sign-out": _PERSON,
    "GET /v1/me": _PERSON,
    "PATCH /v1/me": _PERSON,
    "DELETE /v1/me": _PERSON,
    "GET /v1/me/export": _PERSON,
    "POST /v1/me/identities": _PERSON,
    "DELETE /v1/me/identities/{provider}": _PERSON,
    "GET /v1/me/addresses": _PERSON,
    "POST /v1/me/addresses": _PERSON,
    "PATCH /v1/me/addresses/{address_id}": _PERSON,  # their own, here and below; others get 404
    "DELETE /v1/me/addresses/{address_id}": _PERSON,
    "GET /v1/me/devices": _PERSON,
    "POST /v1/me/devices": _PERSON,
    "DELETE /v1/me/devices/{device_id}": _PERSON,
    "GET /v1/me/sessions": _PERSON,
    "DELETE /v1/me/sessions": _PERSON,
    "DELETE /v1/me/sessions/{session_id}": _PERSON,  # their own; others get 404
    "GET /v1/me/staff-invites": _PERSON,
    "POST /v1/staff-invites/{invite_id}/accept": _PERSON,  # whoever signs in with what was invited; others get 404
    "POST /v1/merchants": _PERSON,  # not a guest
    "GET /v1/merchants/{merchant_id}": _ANYONE,  # all of it only its staff
    "PATCH /v1/merchants/{merchant_id}": _MAY.MERCHANT_WRITE,
    "GET /v1/merchants/{merchant_id}/staff": _MAY.MERCHANT_READ,
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff/{account_id}": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff/me": _MAY.MERCHANT_READ,  # whoever works there
    "POST /v1/merchants/{merchant_id}/staff-invites": _MAY.STAFF_WRITE,
    "GET /v1/merchants/{merchant_id}/staff-invites": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff-invites/{invite_id}": _MAY.STAFF_WRITE,
    "POST /v1/merchants/{merchant_id}/api-keys": _MAY.KEYS_WRITE,
    "GET /v1/merchants/{merchant_id}/api-keys": _MAY.KEYS_WRITE,
    "DELETE /v1/merchants/{merchant_id}/api-keys/{key_id}": _MAY.KEYS_WRITE,
    "GET /v1/merchants/{merchant_id}/audit": _MAY.AUDIT_READ,
    "GET /v1/admin/merchants": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/approve": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/refuse": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/suspend": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/reinstate": _ADMIN,
    "GET /v1/admin/groups": _ADMIN,
    "POST /v1/admin/groups/{group_id}/cancel": _ADMIN,
    "GET /v1/admin/orders": _ADMIN,
    "GET /v1/admin/audit": _ADMIN,
    "GET /dev/inbox": _UNASKED,  # there only while messages go to the console
    "POST /v1/webhooks/{gateway}": _UNASKED,  # whoever signs as the gateway
    "GET /sandbox/payments/{reference}/step": _UNASKED,
    "POST /sandbox/payments/{reference}/step": _UNASKED,  # whoever has the client secret
    "GET /.well-known/jwks.json": _UNASKED,
    "GET /healthz": _UNASKED,
    "GET /readyz": _UNASKED,
    "GET /schema": _UNASKED,
    "GET /schema/openapi.json": _UNASKED,
    "GET /problems/{slug}": _UNASKED,
}

"""A permission is asked of staff and API keys, for the merchant they act for; what belongs to others is 404 to them."""

MERCHANT_HEADER: Final = b"tuan-merchant"
_BEARER: Final = b"bearer "


async def authorise(request: AnyRequest) -> None:
    """Let the request through with its caller noted, or raise an `ApiRefusal`.

    It runs before every handler; every route says in its `opt` who may call it.
    """
    scope = request.scope
    access: Access | Permission = scope["route_handler"].opt["access"]
    if access is Access.UNASKED:
        return
    caller = scope["caller"] = await _caller(request)  # type: ignore[typeddict-unknown-key]  # ours, for handlers to find
    if access is Access.ANYONE:
        return
    if caller is None:
        raise NotAuthenticated
    if isinstance(access, Permission):
        scope["merchant_id"] = _acting_for(request, caller, access)  # type: ignore[typeddict-unknown-key]  # as above
    elif access is Access.PERSON:
        if Role.API_KEY in caller.roles:
            raise PersonNeeded
    elif access is not Access.SIGNED_IN and access.value not in caller.roles:
        raise RoleMissing(access.value or "")


def caller_of(request: AnyRequest) -> Claims:
    """Who calls an operation that asks for a token."""
    caller: Claims = request.scope["caller"]  # type: ignore[typeddict-item]  # ours, see authorise
    return caller


def caller_if_known(request: AnyRequest) -> Claims | None:
    """Who calls an operation open to anyone; None without a token."""
    caller: Claims | None = request.scope["caller"]  # type: ignore[typeddict-item]  # ours, see authorise
    return caller


def merchant_of(request: AnyRequest) -> UUID:
    """The merchant for whom the caller does what asks for a permission."""
    merchant_id: UUID = request.scope["merchant_id"]  # type: ignore[typeddict-item]  # ours, see authorise
    return merchant_id


def may_for(caller: Claims | None, merchant_id: UUID, permission: Permission) -> bool:
    """Whether the caller has a permission at the merchant that a thing belongs to."""
    employment = None if caller is None else caller.merchants.get(merchant_id)
    return employment is not None and permission in employment.permissions


def _acting_for(request: AnyRequest, caller: Claims, permission: Permission) -> UUID:
    """The merchant the caller acts for: the one in the path, else in the header, else the only one they have."""
    if not caller.merchants:
        raise RoleMissing(Role.MERCHANT)
    is_in_path = "merchant_id" in request.scope["path_params"]
    merchant_id = path_id(request, "merchant_id") if is_in_path else _named_merchant(request) or _only_merchant(caller)
    employment = caller.merchants.get(merchant_id)
    if employment is None:
        raise MerchantNotFound(merchant_id) if is_in_path else NotStaff(merchant_id)
    if permission not in employment.permissions:
        raise PermissionMissing(permission)
    if permission in SELLING and employment.standing is not Standing.APPROVED:
        raise MerchantNotApproved(employment.standing)
    return merchant_id


def _named_merchant(request: AnyRequest) -> UUID | None:
    value = header(request, MERCHANT_HEADER)
    if value is None:
        return None
    named = read_id(value.decode("latin-1").strip())
    if named is None:
        raise invalid("Tuan-Merchant", ID_MESSAGE)
    return named


def _only_merchant(caller: Claims) -> UUID:
    if len(caller.merchants) > 1:
        raise invalid("Tuan-Merchant", "is required: you work for several merchants, say for which one this is")
    return next(iter(caller.merchants))


async def _caller(request: AnyRequest) -> Claims | None:
    credentials = header(request, b"authorization")
    if credentials is None:
        return None
    if credentials[:7].lower() != _BEARER:
        raise NotAuthenticated("the Authorization header must be: Bearer <token>")
    proof, runtime = credentials[7:].strip().decode("latin-1"), runtime_of(request)
    try:
        if proof.startswith(KEY_BEGINNING):
            return await runtime.api_keys.verify(proof)
        claims = runtime.tokens.verify(proof)
    except TokenRefused as refused:
        raise NotAuthenticated(refused.reason) from refused
    if runtime.revocations.is_revoked(claims):
        raise NotAuthenticated("revoked")
    return claims

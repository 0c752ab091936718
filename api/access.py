"""Who asks, and whether they may: the one place that looks at tokens and API keys, before every handler."""

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
from api.who_may import Access
from domain.identity.errors import MerchantNotFound
from domain.identity.permissions import SELLING, Permission, Role, Standing
from infra.identity.api_keys import BEGINNING as KEY_BEGINNING
from infra.tokens import Claims, TokenRefused

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
    """Who calls an operation open to anyone; None without a token, and where nobody is asked for one."""
    caller: Claims | None = request.scope.get("caller")  # type: ignore[assignment]  # ours, see authorise
    return caller


def check_still_counts(request: AnyRequest) -> None:
    """Raises `NotAuthenticated` where the caller lost the right to ask after the request was let through."""
    caller = caller_if_known(request)
    if caller is not None and runtime_of(request).revocations.is_revoked(caller):
        raise NotAuthenticated("revoked")


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


def api_key_of(request: AnyRequest) -> str | None:
    """What was sent as an API key, where somebody will look at it."""
    credentials = header(request, b"authorization")
    if credentials is None or request.scope["route_handler"].opt["access"] is Access.UNASKED:
        return None
    proof = _proof(credentials)
    return proof if proof is not None and proof.startswith(KEY_BEGINNING) else None


def _proof(credentials: bytes) -> str | None:
    """What stands after `Bearer`."""
    return credentials[7:].strip().decode("latin-1") if credentials[:7].lower() == _BEARER else None


async def _caller(request: AnyRequest) -> Claims | None:
    credentials = header(request, b"authorization")
    if credentials is None:
        return None
    proof, runtime = _proof(credentials), runtime_of(request)
    if proof is None:
        raise NotAuthenticated("the Authorization header must be: Bearer <token>")
    try:
        if proof.startswith(KEY_BEGINNING):
            return await runtime.api_keys.verify(proof)
        claims = runtime.tokens.verify(proof)
    except TokenRefused as refused:
        raise NotAuthenticated(refused.reason) from refused
    if runtime.revocations.is_revoked(claims):
        raise NotAuthenticated("revoked")
    return claims

"""Whether a caller may still do what they ask for, now that it is their request's turn."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.refused import PermissionMissing, RoleMissing
from api.requests import AnyRequest
from api.who_may import Access
from domain.identity.errors import MerchantNotFound
from domain.identity.permissions import Permission, Role
from infra.identity.audit import Deed
from infra.identity.merchants import Merchant, lock_merchant
from infra.identity.rights import is_administrator, permissions_of


async def lock_for(request: AnyRequest, connection: AsyncConnection, deed: Deed, merchant_id: UUID) -> Merchant:
    """A merchant, locked for a deed that whoever asks may still do: everything done to one begins here.

    Between the look at a token and the lock, a right may have been taken away, or the merchant have gone: it is
    answered as if that had come first. Raises `MerchantNotFound`, `PermissionMissing` or `RoleMissing`.
    """
    merchant = await lock_merchant(connection, merchant_id)
    access: Access | Permission = request.scope["route_handler"].opt["access"]
    if not isinstance(access, Permission):
        await check_is_administrator(connection, deed, merchant_id)
        return merchant
    permissions = await permissions_of(connection, deed.actor, merchant_id)
    if merchant.has_gone or not permissions:
        raise MerchantNotFound(merchant_id)
    if access not in permissions:
        raise PermissionMissing(access)
    return merchant


async def check_is_administrator(connection: AsyncConnection, deed: Deed, merchant_id: UUID | None = None) -> None:
    """Raises `RoleMissing` where whoever asks is no administrator any more; `merchant_id` names a locked merchant."""
    if not await is_administrator(connection, deed.actor, merchant_id):
        raise RoleMissing(Role.ADMIN)

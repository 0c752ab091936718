"""Who the caller is where they shopped as a guest before: only those whose token says so are looked up at all."""

from typing import NamedTuple
from uuid import UUID

from api.access import caller_of
from api.requests import AnyRequest, runtime_of
from domain.identity.permissions import Role
from infra.reading.selves import find_key_owner, find_past_self, find_sharer, find_standing, is_self
from infra.tokens import Claims


class Acting(NamedTuple):
    """The id a command is told with, what of the deal is the caller's under other ids, and the invite that counts."""

    shopper_id: UUID
    units_elsewhere: int
    invite_code: str | None
    is_guest: bool


async def acting(
    request: AnyRequest,
    *,
    deal_id: UUID | None = None,
    group_id: UUID | None = None,
    invite_code: str | None = None,
) -> Acting:
    """As whom the caller takes part in a group or buys of a deal: who they are in the group, else themselves."""
    caller = caller_of(request)
    if not caller.has_merged:
        return Acting(caller.subject, 0, invite_code, Role.GUEST in caller.roles)
    standing = await find_standing(runtime_of(request).engine, caller.subject, deal_id, group_id, invite_code)
    shopper_id = standing.in_group or caller.subject
    elsewhere = sum(units for of, units in standing.units.items() if of != shopper_id)
    return Acting(shopper_id, elsewhere, None if standing.comes_round else invite_code, is_guest=False)


async def self_in_group(request: AnyRequest, caller: Claims, group_id: UUID) -> UUID:
    """The id under which the caller is in a group; their own where they are not."""
    if not caller.has_merged:
        return caller.subject
    standing = await find_standing(runtime_of(request).engine, caller.subject, None, group_id, None)
    return standing.in_group or caller.subject


async def past_self(request: AnyRequest, group_id: UUID) -> UUID:
    """The id under which the caller is, or was, in a group."""
    caller = caller_of(request)
    if not caller.has_merged:
        return caller.subject
    return await find_past_self(runtime_of(request).engine, caller.subject, group_id)


async def sharer(request: AnyRequest, group_id: UUID, channel: str) -> UUID:
    """The id the caller's link into a group is, or is to be, of."""
    caller = caller_of(request)
    if not caller.has_merged:
        return caller.subject
    found = await find_sharer(runtime_of(request).engine, caller.subject, group_id, channel)
    return found or await self_in_group(request, caller, group_id)


async def key_owner(request: AnyRequest, key: str) -> UUID:
    """The id the caller's idempotency key is, or is to be, of."""
    caller = caller_of(request)
    if not caller.has_merged:
        return caller.subject
    return await find_key_owner(runtime_of(request).engine, caller.subject, key)


async def is_callers(request: AnyRequest, shopper_id: UUID) -> bool:
    """Whether what is of this shopper is the caller's."""
    caller = caller_of(request)
    if caller.subject == shopper_id:
        return True
    return caller.has_merged and await is_self(runtime_of(request).engine, caller.subject, shopper_id)

"""Links by the codes that anybody asks for, each address so often at most."""

from api.access import caller_of
from api.limiting import limit_unknown_link
from api.place_body import is_invite_code
from api.requests import AnyRequest, runtime_of
from domain.groupbuy.errors import InviteNotFound
from infra.sharing.links import KEPT_S, Link
from infra.sharing.own_link import Shared, find_shared


async def link_of(request: AnyRequest, age_s_max: float = KEPT_S) -> Link:
    """The link whose code is in the path, at most so old; raises `InviteNotFound` and `RateLimited`."""
    return await link_by(request, request.scope["path_params"]["code"], age_s_max)


async def link_by(request: AnyRequest, code: str, age_s_max: float = KEPT_S) -> Link:
    """The link of a code, at most so old; raises `InviteNotFound` and `RateLimited`."""
    if not is_invite_code(code):
        raise InviteNotFound
    links = runtime_of(request).landings.links
    was_spared = links.has_been_good(code)
    await limit_unknown_link(request, code)
    link = await links.get(code, age_s_max)
    if link is None:
        if was_spared:  # revoked meanwhile: counted as any other
            await limit_unknown_link(request, code)
        raise InviteNotFound
    return link


async def callers_shared(request: AnyRequest, code: str) -> Shared:
    """What a link of the caller's shares, revoked or not; to others it is not there.

    Raises `InviteNotFound` and `RateLimited`.
    """
    if not is_invite_code(code):
        raise InviteNotFound
    await limit_unknown_link(request, code)
    shared = await find_shared(runtime_of(request).engine, code, caller_of(request).subject)
    if shared is None:
        raise InviteNotFound
    return shared

"""Links by the codes that anybody asks for, each address so often at most."""

from api.limiting import limit_unknown_link
from api.place_body import is_invite_code
from api.requests import AnyRequest, runtime_of
from domain.groupbuy.errors import InviteNotFound
from infra.sharing.links import KEPT_S, Link


async def link_of(request: AnyRequest, age_s_max: float = KEPT_S) -> Link:
    """The link whose code is in the path, at most so old; raises `InviteNotFound` and `RateLimited`."""
    return await link_by(request, request.scope["path_params"]["code"], age_s_max)


async def link_by(request: AnyRequest, code: str, age_s_max: float = KEPT_S) -> Link:
    """The link of a code, at most so old; raises `InviteNotFound` and `RateLimited`."""
    if not is_invite_code(code):
        raise InviteNotFound
    await limit_unknown_link(request, code)
    link = await runtime_of(request).landings.links.get(code, age_s_max)
    if link is None:
        raise InviteNotFound
    return link

"""The page of a group: at the short link somebody shared, and at the group's own address."""

from typing import Final

from api.answers import Answer
from api.pages.showing import page
from api.place_body import is_invite_code
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.visiting import note_visit
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from infra.sharing.landing import Landing, landing_of_code, landing_of_group

_ALWAYS_ASKED_FOR: Final = ((b"cache-control", b"no-cache"),)


@route("GET", "/i/{code}")
async def open_link(request: AnyRequest) -> Answer:
    """What a shared link shows."""
    runtime = runtime_of(request)
    code: str = request.scope["path_params"]["code"]
    landing = await landing_of_code(runtime.engine, runtime.groups, code) if is_invite_code(code) else None
    if landing is None:
        raise InviteNotFound
    note_visit(request, code)
    return _shown(request, landing)


@route("GET", "/g/{group_id}")
async def open_group_page(request: AnyRequest) -> Answer:
    """The group itself, whoever told of it."""
    runtime, group_id = runtime_of(request), path_id(request, "group_id")
    landing = await landing_of_group(runtime.engine, runtime.groups, group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return _shown(request, landing)


def _shown(request: AnyRequest, landing: Landing) -> Answer:
    origin = runtime_of(request).settings.origin
    return page("group.html", _ALWAYS_ASKED_FOR, landing=landing, origin=origin)

"""The page of a group: at the short link somebody shared, and at the group's own address."""

from litestar.types import ASGIApp

from api.answers import Answer
from api.links import link_of
from api.live import LiveStream
from api.pages.apps import apps_of
from api.pages.asking import is_part
from api.pages.group_html import Shows, group_page
from api.pages.speaking import spoken_to
from api.pages.state import pages_of
from api.pages.via import note_link
from api.pages.web_session import has_session
from api.pages.your_page import your_page
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.visiting import note_visit
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from infra.cards.addresses import page_path
from infra.runtime import Runtime
from infra.sharing.landing import Landing


@route("GET", "/i/{code}")
async def open_link(request: AnyRequest) -> Answer:
    """What a shared link shows."""
    runtime, link = runtime_of(request), await link_of(request)
    landing = await runtime.landings.of_link(link)
    if landing is None:
        raise InviteNotFound
    note_visit(request, link.invite.code)
    note_link(request, landing.deal.id, link.invite.code)
    return await _page(request, landing, link.locale)


@route("GET", "/g/{group_id}")
async def open_group_page(request: AnyRequest) -> Answer:
    """The group itself, whoever told of it."""
    group_id = path_id(request, "group_id")
    landing = await runtime_of(request).landings.of_group(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return await _page(request, landing)


@route("GET", "/g/{group_id}/live")
async def watch_group_page(request: AnyRequest) -> ASGIApp:
    """The parts of a group's pages that change, as they change; a page follows its group though its link is revoked."""
    runtime, group_id = runtime_of(request), path_id(request, "group_id")
    landing = await runtime.landings.of_group(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    parts = pages_of(request).live_parts
    return LiveStream(runtime.hub, landing.group, parts.teller(landing, spoken_to(request)))


async def shows_of(runtime: Runtime, landing: Landing) -> Shows:
    """All that a page shows: of a closed group also where else one can go."""
    return Shows(landing, *await runtime.landings.where_else(landing))


async def _page(request: AnyRequest, landing: Landing, sharers_locale: str | None = None) -> Answer:
    runtime, language = runtime_of(request), spoken_to(request, sharers_locale)
    shows = await shows_of(runtime, landing)
    if has_session(request) or is_part(request):
        return await your_page(request, shows, language)
    origin, apps, pages = runtime.settings.origin, apps_of(runtime.settings), pages_of(request).pages
    kept = pages.get(page_path(landing), language, shows, lambda: group_page(shows, language, origin, apps))
    return kept.answer(request)

"""oEmbed (https://oembed.com, 2.3): what a site that was given one of our links may show of it, as JSON."""

import re
from typing import Final, Literal

import msgspec

from api.answers import Answer, encode
from api.links import link_by
from api.pages.speaking import spoken_to
from api.pages.tags import SITE_NAME, TITLE_CHARACTERS_MAX
from api.place_body import INVITE_CODE_CHARACTERS_MAX
from api.requests import AnyRequest, invalid, query_of, read_id, runtime_of
from api.routing import route
from domain.errors import InvalidInput
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from domain.sharing.texts import news_of
from domain.sharing.titles import shown_title
from infra.cards.addresses import card_address
from infra.cards.sizes import CARD_HEIGHT, CARD_WIDTH
from infra.sharing.landing import Landing, situation_on

KEPT_S: Final = 60
URL_MESSAGE: Final = "must be the address of a link or of a group here"
_PATH: Final = re.compile(
    rf"/(?:i/(?P<code>[A-Za-z0-9_-]{{1,{INVITE_CODE_CHARACTERS_MAX}}})|g/(?P<group_id>[0-9A-Fa-f-]{{36}}))/?(?:[?#].*)?",
    re.ASCII,
)


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """A link of ours as others show it: a title and the card; `type` is oEmbed's word for just that."""

    version: Literal["1.0"] = "1.0"
    type: Literal["link"] = "link"
    title: str
    author_name: str | None
    provider_name: str = SITE_NAME
    provider_url: str
    cache_age: int = KEPT_S
    thumbnail_url: str
    thumbnail_width: int = CARD_WIDTH
    thumbnail_height: int = CARD_HEIGHT


@route("GET", "/oembed")
async def embed(request: AnyRequest) -> Answer:
    """What to show of `url`, which must be ours."""
    query = query_of(request)
    if query.get("format", "json") != "json":
        raise invalid("format", "must be json")
    origin = runtime_of(request).settings.origin
    landing, locale = await _landing(request, query.get("url", ""), origin)
    language = spoken_to(request, locale)
    title = shown_title(landing.deal.title, TITLE_CHARACTERS_MAX)
    news = news_of(situation_on(landing.deal, landing.group), language)
    told = Embedded(
        title=f"{title} · {news}",
        author_name=landing.invite.sharer_name if landing.invite else landing.merchant_name,
        provider_url=origin,
        thumbnail_url=card_address(origin, landing, language),
    )
    headers = ((b"cache-control", b"public, max-age=%d" % KEPT_S), (b"vary", b"Accept-Language"))
    return Answer(200, encode(told), headers)


async def _landing(request: AnyRequest, url: str, origin: str) -> tuple[Landing, str | None]:
    """Where the address leads, and what its sharer speaks; raises `InvalidInput` for an address that is not ours."""
    found = _PATH.fullmatch(url.removeprefix(origin)) if url.startswith(f"{origin}/") else None
    if found is None:
        raise _not_ours()
    if found["group_id"] is not None:
        return await _of_group(request, found["group_id"]), None
    return await _of_link(request, found["code"])


async def _of_link(request: AnyRequest, code: str) -> tuple[Landing, str | None]:
    link = await link_by(request, code)
    landing = await runtime_of(request).landings.of_link(link)
    if landing is None:
        raise InviteNotFound
    return landing, link.locale


async def _of_group(request: AnyRequest, text: str) -> Landing:
    group_id = read_id(text)
    if group_id is None:
        raise _not_ours()
    landing = await runtime_of(request).landings.of_group(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return landing


def _not_ours() -> InvalidInput:
    return invalid("url", URL_MESSAGE)

"""The pictures of a group: the card that chats show beside its link, the poster, and the link as a QR code."""

import contextlib
from http import HTTPStatus
from typing import Final

import msgspec

from api.answers import Answer, names_tag
from api.limiting import limit_drawing
from api.links import link_of
from api.requests import AnyRequest, header, path_id, runtime_of
from api.routing import route
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from domain.identity.limits import DRAWN_CARDS, DRAWN_OF_A_LINK
from domain.sharing.language import language_of
from infra.cards.addresses import address_of, pictured
from infra.cards.picture import Kind, Picture
from infra.cards.picturing import qr_of
from infra.sharing.landing import Landing
from infra.unavailable import Unavailable

JPEG, SVG = b"image/jpeg", b"image/svg+xml"
_FOR_EVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_FOR_A_DAY: Final = (b"cache-control", b"public, max-age=86400")
_NOT_STORED: Final = (b"cache-control", b"no-store")
_NOT_KEPT: Final = (b"cache-control", b"no-cache")
_NOTHING_RUNS: Final = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
_FOR_EVERYBODY: Final = (b"cross-origin-resource-policy", b"cross-origin")
_WHATEVER_THERE_IS: Final = b"*"
KEY_CHARACTERS_MAX: Final = 64


@route("GET", "/i/{code}/card/{key}")
async def link_card(request: AnyRequest) -> Answer:
    """What chats show beside a link."""
    return await _answered(request, Kind.CARD, await _landing_of_link(request))


@route("GET", "/g/{group_id}/card/{key}")
async def group_card(request: AnyRequest) -> Answer:
    """What chats show beside a group's own address."""
    return await _answered(request, Kind.CARD, await _landing_of_group(request))


@route("GET", "/i/{code}/poster/{key}")
async def link_poster(request: AnyRequest) -> Answer:
    """A poster with a link's QR code."""
    return await _answered(request, Kind.POSTER, await _landing_of_link(request))


@route("GET", "/g/{group_id}/poster/{key}")
async def group_poster(request: AnyRequest) -> Answer:
    """A poster with the QR code of a group's own address."""
    return await _answered(request, Kind.POSTER, await _landing_of_group(request))


@route("GET", "/i/{code}/qr.svg")
async def link_qr(request: AnyRequest) -> Answer:
    """A link as a QR code."""
    link = await link_of(request)
    return await _code(request, f"/i/{link.invite.code}")


@route("GET", "/g/{group_id}/qr.svg")
async def group_qr(request: AnyRequest) -> Answer:
    """A group's own address as a QR code."""
    landing = await _landing_of_group(request)
    return await _code(request, f"/g/{landing.group.id}")


async def _landing_of_link(request: AnyRequest) -> Landing:
    invite = (await link_of(request)).invite
    landing = await runtime_of(request).landings.without_people(invite.group_id)
    if landing is None:
        raise InviteNotFound
    return msgspec.structs.replace(landing, invite=invite)


async def _landing_of_group(request: AnyRequest) -> Landing:
    group_id = path_id(request, "group_id")
    landing = await runtime_of(request).landings.without_people(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return landing


async def _answered(request: AnyRequest, kind: Kind, landing: Landing) -> Answer:
    """The picture under its present key; any other key leads there, in the language that it begins with."""
    origin = runtime_of(request).settings.origin
    asked: str = request.scope["path_params"]["key"]
    language = language_of(asked[:KEY_CHARACTERS_MAX].partition("-")[0])
    picture = pictured(origin, kind, landing, language)
    if asked != f"{picture.key}.jpg":
        landing = await _newest(request, landing)
        picture = pictured(origin, kind, landing, language)
    if asked != f"{picture.key}.jpg":
        to = address_of(origin, landing, picture).encode("ascii")
        return _bare(302, (b"location", to), _NOT_KEPT)
    return await _drawn(request, picture, JPEG, _FOR_EVER)


async def _newest(request: AnyRequest, landing: Landing) -> Landing:
    """As PostgreSQL has it now: a key that is newer than what is known here must not lead to the one before."""
    if landing.group.is_final:
        return landing
    with contextlib.suppress(Unavailable):
        group = await runtime_of(request).groups.get_fresh(landing.group.id)
        return landing if group is None else msgspec.structs.replace(landing, group=group)
    return landing


async def _code(request: AnyRequest, path: str) -> Answer:
    return await _drawn(request, qr_of(runtime_of(request).settings.origin + path), SVG, _FOR_A_DAY)


async def _drawn(request: AnyRequest, picture: Picture, media_type: bytes, kept: tuple[bytes, bytes]) -> Answer:
    """The picture, unless the caller has it; one without its product's image has no tag, and nobody may keep it."""
    tag = f'"{picture.key}"'.encode("ascii")
    known = header(request, b"if-none-match")
    if known is not None and known.strip() != _WHATEVER_THERE_IS and names_tag(known, tag):
        return _bare(304, (b"etag", tag), kept)
    pictures = runtime_of(request).pictures
    if pictures.must_draw(picture):
        await limit_drawing(request, DRAWN_CARDS if picture.kind is Kind.CARD else DRAWN_OF_A_LINK)
    drawn = await pictures.get(picture)
    if not drawn.is_whole:
        return Answer(200, drawn.content, (_NOT_STORED, _NOTHING_RUNS, _FOR_EVERYBODY), media_type)
    return Answer(200, drawn.content, ((b"etag", tag), kept, _NOTHING_RUNS, _FOR_EVERYBODY), media_type)


def _bare(status: int, *headers: tuple[bytes, bytes]) -> Answer:
    answer = Answer(status, b"")
    answer.headers = [(b"content-length", b"0"), *headers] if status == HTTPStatus.FOUND else list(headers)
    return answer

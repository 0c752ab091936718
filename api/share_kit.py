"""The share kit: all an app needs to share a link well, as the group stands now."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from api.access import caller_of
from api.answers import Answer, answered, encode, resource
from api.links import callers_shared
from api.refused import NothingHere
from api.requests import AnyRequest, header, invalid, query_choice, query_of, runtime_of
from api.routing import route
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from domain.sharing.channels import Channel, WayToShare, ways_to_share
from domain.sharing.language import Language, first_fitting
from domain.sharing.texts import ShareTexts, share_texts
from infra.cards.addresses import card_address, poster_address, qr_address
from infra.reading.invites import InviteView
from infra.settings import Settings
from infra.sharing.landing import Landing, situation_on
from infra.sharing.own_link import find_locale
from infra.sharing.wechat_js import Ticket, WeChatSignature

SIGNED_URL_CHARACTERS_MAX: Final = 2_048

_VISIBLE: Final = re.compile("[!-~]+")
_NOT_STORED: Final = ((b"cache-control", b"no-store"),)
_ALSO_VARIES: Final = (b"vary", b"Accept-Language")


class ShareKit(msgspec.Struct, frozen=True, kw_only=True):
    """How to share a link: texts, the ways to send them, and pictures; they say how the group stands now.

    `channels` is the one the link was made for, or every chat for a link of channel `link`. `wechat` is what
    `wx.config` takes on the page at `link`; null where no official account is set up, or WeChat is away.
    """

    language: Language
    link: str
    texts: ShareTexts
    channels: list[WayToShare]
    card_url: str
    poster_url: str
    qr_url: str
    wechat: WeChatSignature | None = None


class SharedInvite(InviteView, frozen=True, kw_only=True):
    """A link of the caller's, with all that is needed to share it."""

    share: ShareKit


@dataclass(frozen=True, slots=True, kw_only=True)
class KitMaker:
    """What is known before the link is: the group, for whom the texts are, and what WeChat signs with."""

    settings: Settings
    landing: Landing
    language: Language
    texts: ShareTexts
    ticket: Ticket | None

    def kit_of(self, invite: InviteView) -> ShareKit:
        """The kit of a link into this group."""
        origin, language = self.settings.origin, self.language
        link = f"{origin}/i/{invite.code}"
        landing = msgspec.structs.replace(self.landing, invite=invite)
        return ShareKit(
            language=language,
            link=link,
            texts=self.texts,
            channels=ways_to_share(invite.channel, self.texts, link, self.settings.messenger_app_id),
            card_url=card_address(origin, landing, language),
            poster_url=poster_address(origin, landing, language),
            qr_url=qr_address(origin, invite.code),
            wechat=self.ticket.sign(self.settings.wechat_js_app_id, link) if self.ticket else None,
        )


async def kit_maker(request: AnyRequest, group_id: UUID, channel: str, wished: Language | None) -> KitMaker:
    """What a kit of the caller's is made with; raises `GroupNotFound`."""
    runtime = runtime_of(request)
    landing, language, ticket = await asyncio.gather(
        runtime.landings.without_people(group_id), _language_of(request, wished), _ticket(request, channel)
    )
    if landing is None:
        raise GroupNotFound(group_id)
    texts = share_texts(situation_on(landing.deal, landing.group), language)
    return KitMaker(settings=runtime.settings, landing=landing, language=language, texts=texts, ticket=ticket)


@route("GET", "/v1/invites/{code}/share")
async def read_share_kit(request: AnyRequest) -> Answer:
    """The kit of a link of the caller's: the group has moved on since the link was made."""
    runtime = runtime_of(request)
    code: str = request.scope["path_params"]["code"]
    wished = query_choice(query_of(request), "language", Language)
    await callers_shared(request, code)
    link = await runtime.landings.links.get(code)
    if link is None:
        raise InviteNotFound
    maker = await kit_maker(request, link.invite.group_id, link.invite.channel, wished)
    answer = resource(request, encode(maker.kit_of(link.invite)), maker.landing.group.version, is_private=True)
    answer.headers.append(_ALSO_VARIES)
    return answer


@route("GET", "/v1/share/wechat-signature")
async def sign_for_wechat(request: AnyRequest) -> Answer:
    """What a page of ours needs inside WeChat; others' pages get nothing signed."""
    runtime = runtime_of(request)
    if not runtime.wechat_js.is_offered:
        raise NothingHere
    origin = runtime.settings.origin
    url = query_of(request).get("url", "").partition("#")[0]  # WeChat signs what is before it
    if not (url.startswith(f"{origin}/") and len(url) <= SIGNED_URL_CHARACTERS_MAX and _VISIBLE.fullmatch(url)):
        raise invalid(
            "url", f"must be an address that begins with {origin}/, of at most {SIGNED_URL_CHARACTERS_MAX} characters"
        )
    return answered(await runtime.wechat_js.sign(url), headers=_NOT_STORED)


async def _language_of(request: AnyRequest, wished: Language | None) -> Language:
    """What the caller asks for, else what their account says they read, else what their phone says."""
    if wished is not None:
        return wished
    locale = await find_locale(runtime_of(request).engine, caller_of(request).subject)
    asked = header(request, b"accept-language")
    return first_fitting(locale, None if asked is None else asked.decode("latin-1"))


async def _ticket(request: AnyRequest, channel: str) -> Ticket | None:
    """What signs for WeChat, where the link may be shared there."""
    return await runtime_of(request).wechat_js.ticket() if channel in {Channel.LINK, Channel.WECHAT} else None

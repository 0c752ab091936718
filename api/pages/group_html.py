"""The page of a group and the parts of it that change, as HTML."""

from typing import Any, Final, NamedTuple

from api.pages.kept import Kept
from api.pages.showing import html
from api.pages.sight import Card, card_of, sight_of
from api.pages.speaking import WORDS
from api.pages.tags import tags_of
from domain.sharing.channels import Channel, ways_to_share
from domain.sharing.language import Language
from domain.sharing.texts import ShareTexts, share_texts
from infra.cards.addresses import page_path, qr_address
from infra.sharing.landing import Landing
from infra.sharing.landings import Elsewhere
from infra.views import GroupView

_NAMES: Final = {
    Channel.WHATSAPP: "WhatsApp",
    Channel.MESSENGER: "Messenger",
    Channel.TELEGRAM: "Telegram",
    Channel.LINE: "LINE",
    Channel.X: "X",
}


class Shows(NamedTuple):
    """All that a page of a group shows; the others are empty while the group is open."""

    landing: Landing
    other_groups: list[GroupView]
    other_deals: list[Elsewhere]


class Way(NamedTuple):
    """A place to share at."""

    name: str
    address: str


def group_page(shows: Shows, language: Language, origin: str) -> Kept:
    """The whole page."""
    landing = shows.landing
    seen = _seen(shows, language)
    tags = tags_of(landing, seen["sight"], language, origin)
    texts = share_texts(seen["sight"].situation, language)
    content = html(
        "group.html",
        **seen,
        tags=tags,
        path=page_path(landing),
        ways=_ways(texts, language, tags.address),
        share_text=texts.long,
        qr=qr_address(origin, landing.invite.code) if landing.invite else None,
        origin=origin,
    )
    return Kept(content, language, landing.group.version, is_for_search=tags.is_for_search)


def live_part(shows: Shows, language: Language) -> bytes:
    """What of the page changes while it is open; of a closed group also where else one can go."""
    return html("live.html", **_seen(shows, language))


def elsewhere_cards(elsewhere: list[Elsewhere], language: Language) -> list[Card]:
    """Deals to go to."""
    return [card_of(other.deal, other.group, language) for other in elsewhere]


def _seen(shows: Shows, language: Language) -> dict[str, Any]:
    landing = shows.landing
    other_deals = [other for other in shows.other_deals if other.deal.id != landing.deal.id]
    return {
        "landing": landing,
        "language": language,
        "words": WORDS[language],
        "sight": sight_of(landing, language),
        "other_groups": [card_of(landing.deal, other, language) for other in shows.other_groups],
        "other_deals": elsewhere_cards(other_deals, language),
    }


def _ways(texts: ShareTexts, language: Language, address: str) -> list[Way]:
    """Where to share by an address alone; the rest copies the link."""
    words = WORDS[language]
    names = {**_NAMES, Channel.EMAIL: words.by_email, Channel.SMS: words.by_sms}
    ways = ways_to_share(Channel.LINK, texts, address)
    return [
        Way(names[Channel(way.channel)], there)
        for way in ways
        if (there := way.web_address or way.address) is not None and way.channel in names
    ]

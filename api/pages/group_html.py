"""The page of a group and the parts of it that change, as HTML."""

from typing import Any, Final, NamedTuple

from api.pages.apps import Apps, app_links
from api.pages.join_step import CHOOSING, Step, may_open
from api.pages.kept import Kept
from api.pages.showing import html
from api.pages.sight import Card, Sight, card_of, sight_of
from api.pages.speaking import JOIN_WORDS, WORDS
from api.pages.tags import tags_of
from domain.sharing.channels import Channel, ways_to_share
from domain.sharing.language import Language
from domain.sharing.situation import Situation
from domain.sharing.texts import ShareTexts, share_texts
from domain.sharing.wording import WORDINGS
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


NO_APPS: Final = Apps()


class Shows(NamedTuple):
    """All that a page of a group shows; the others are empty while there is a way into it."""

    landing: Landing
    other_groups: list[GroupView]
    other_deals: list[Elsewhere]


class Way(NamedTuple):
    """A place to share at."""

    name: str
    address: str


class Sharing(NamedTuple):
    """A link to share, with all the ways to; `qr` is where its QR code is."""

    address: str
    title: str
    text: str
    ways: list[Way]
    qr: str


def group_page(shows: Shows, language: Language, origin: str, apps: Apps = NO_APPS) -> Kept:
    """The whole page."""
    landing = shows.landing
    is_for_search = landing.invite is None and not landing.group.is_closed
    content = page_with(shows, language, origin, CHOOSING, apps)
    return Kept(content, language, landing.group.version, is_for_search=is_for_search)


def page_with(shows: Shows, language: Language, origin: str, step: Step, apps: Apps = NO_APPS) -> bytes:
    """The whole page, at a step of the way into the group."""
    landing, sight = shows.landing, sight_of(shows.landing, language)
    tags = tags_of(landing, sight, language, origin)
    return html(
        "group.html",
        **_seen(shows, sight, language),
        **_joining(landing, sight, language, origin, step, is_part=False),
        tags=tags,
        here=f"/g/{landing.group.id}" if step.moves_focus else "",
        sharing=_sharing(tags.address, sight.situation, language),
        app_links=app_links(apps, tags.address),
    )


def join_part(shows: Shows, language: Language, origin: str, step: Step) -> bytes:
    """A step of the way into the group alone."""
    landing, sight = shows.landing, sight_of(shows.landing, language)
    joining = _joining(landing, sight, language, origin, step, is_part=True)
    return html("join_part.html", **_seen(shows, sight, language), **joining)


def live_part(shows: Shows, language: Language) -> bytes:
    """What of the page changes while it is open; of a closed group also where else one can go."""
    return html("live.html", **_seen(shows, sight_of(shows.landing, language), language))


def elsewhere_cards(elsewhere: list[Elsewhere], language: Language) -> list[Card]:
    """Deals to go to."""
    return [card_of(other.deal, other.group, language) for other in elsewhere]


def _seen(shows: Shows, sight: Sight, language: Language) -> dict[str, Any]:
    landing = shows.landing
    other_deals = [other for other in shows.other_deals if other.deal.id != landing.deal.id]
    return {
        "landing": landing,
        "language": language,
        "words": WORDS[language],
        "sight": sight,
        "other_groups": [card_of(landing.deal, other, language) for other in shows.other_groups],
        "other_deals": elsewhere_cards(other_deals, language),
    }


def _joining(  # noqa: PLR0913 - what stands on the page, and the step with it
    landing: Landing, sight: Sight, language: Language, origin: str, step: Step, *, is_part: bool
) -> dict[str, Any]:
    is_sold_out = sight.situation.is_sold_out
    own = step.own_code and not is_sold_out and f"{origin}/i/{step.own_code}"
    return {
        "join": step.where_nothing_is_left() if is_sold_out else step,
        "may_open": may_open(landing.deal),
        "sold_out": WORDINGS[language].sold_out,
        "join_words": JOIN_WORDS[language],
        "is_part": is_part,
        "own_sharing": own and _sharing(own, sight.situation, language),
    }


def _sharing(address: str, situation: Situation, language: Language) -> Sharing:
    texts = share_texts(situation, language)
    return Sharing(address, situation.title, texts.long, _ways(texts, language, address), f"{address}/qr.svg")


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

"""What chats, search engines and other machines read of a page: Open Graph, product and Twitter tags, JSON-LD.

Sources: https://ogp.me, https://developer.x.com/en/docs/x-for-websites/cards (summary_large_image), https://oembed.com
and https://schema.org/Product with https://schema.org/Offer.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from markupsafe import Markup

from api.pages.showing import machine_time
from api.pages.sight import Sight
from domain.groupbuy.group import GroupStatus
from domain.pricing.currency import decimal_text
from domain.sharing.channels import percent_encoded
from domain.sharing.language import Language, by_language
from domain.sharing.situation import Situation
from domain.sharing.titles import clipped, shown_title
from infra.cards.addresses import card_address, page_path
from infra.cards.sizes import CARD_HEIGHT, CARD_WIDTH
from infra.sharing.landing import Landing

SITE_NAME: Final = "Tuan"
TITLE_CHARACTERS_MAX: Final = 110
DESCRIPTION_CHARACTERS_MAX: Final = 500
TERRITORIES: Final = by_language(en="en_US", zh="zh_CN", de="de_DE", es="es_ES")
_CONTEXT: Final = "https://schema.org"
_NOT_IN_A_PAGE: Final = re.compile(r"[<>&'\u2028\u2029]")


class _Availability(NamedTuple):
    """Whether one can join, as `product:availability` and as schema.org have it."""

    tag: str
    schema: str


_SOME_LEFT: Final = _Availability("in stock", "LimitedAvailability")
_SOLD_OUT: Final = _Availability("out of stock", "SoldOut")
_OVER: Final = _Availability("out of stock", "Discontinued")


@dataclass(frozen=True, slots=True)
class Tags:
    """What is said in the head of a page; `address` is the link itself, `canonical` the group's own page."""

    address: str
    canonical: str
    oembed: str
    title: str
    description: str
    image: str
    image_width: int
    image_height: int
    image_alt: str
    locale: str
    other_locales: tuple[str, ...]
    amount: str
    currency: str
    availability: str
    is_for_search: bool
    json_ld: Markup


def tags_of(landing: Landing, sight: Sight, language: Language, origin: str) -> Tags:
    """The tags of a page."""
    group, situation = landing.group, sight.situation
    address, canonical = origin + page_path(landing), f"{origin}/g/{group.id}"
    title = shown_title(situation.title, TITLE_CHARACTERS_MAX)
    image = card_address(origin, landing, language)
    return Tags(
        address=address,
        canonical=canonical,
        oembed=f"{origin}/oembed?url={percent_encoded(address)}&format=json",
        title=f"{title} · {sight.price}",
        description=sight.news,
        image=image,
        image_width=CARD_WIDTH,
        image_height=CARD_HEIGHT,
        image_alt=f"{title}. {sight.news}",
        locale=TERRITORIES[language],
        other_locales=tuple(there for one, there in TERRITORIES.items() if one is not language),
        amount=decimal_text(group.unit_price, group.currency),
        currency=group.currency,
        availability=_availability(situation).tag,
        is_for_search=landing.invite is None and situation.is_open,
        json_ld=in_a_page(_product(landing, sight, canonical, image)),
    )


def in_a_page(value: Any) -> Markup:  # noqa: ANN401 - whatever JSON can say
    """JSON that nothing in it can end: what means something to HTML is written by its number."""
    text = msgspec.json.encode(value).decode()
    return Markup(_NOT_IN_A_PAGE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: S704 - as just made


def _product(landing: Landing, sight: Sight, canonical: str, image: str) -> dict[str, Any]:
    deal = landing.deal
    product: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Product",
        "name": deal.title,
        "sku": str(deal.id),
        "url": canonical,
        "image": [url for url in (image, deal.image_url) if url],
        "offers": _offer(landing, sight.situation, canonical),
    }
    if sight.description:
        product["description"] = clipped(sight.description, DESCRIPTION_CHARACTERS_MAX)
    return product


def _offer(landing: Landing, situation: Situation, canonical: str) -> dict[str, Any]:
    group = landing.group
    offer: dict[str, Any] = {
        "@type": "Offer",
        "url": canonical,
        "price": decimal_text(group.unit_price, group.currency),
        "priceCurrency": group.currency,
        "priceValidUntil": group.expires_at.date().isoformat(),
        "validThrough": machine_time(group.expires_at),
        "availability": f"{_CONTEXT}/{_availability(situation).schema}",
    }
    if landing.merchant_name is not None:
        offer["seller"] = {"@type": "Organization", "name": landing.merchant_name}
    return offer


def _availability(situation: Situation) -> _Availability:
    if situation.is_open:
        return _SOME_LEFT if situation.can_be_joined else _SOLD_OUT
    return _SOLD_OUT if situation.status is GroupStatus.SUCCEEDED else _OVER

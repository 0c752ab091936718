"""The head of a page says what each chat and machine reads of it, and the same as the group."""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.sharing.language import Language
from tests.pages.reading import Read
from tests.pages.scene import CODE, DEAL, GROUP_ID, ORIGIN, group, page_of

OPEN_GRAPH: Final = {"og:title", "og:description", "og:image", "og:url", "og:type", "og:site_name"}
READ_BY: Final = {
    "WhatsApp": OPEN_GRAPH,
    "Messenger": {*OPEN_GRAPH, "og:image:width", "og:image:height", "og:locale"},
    "Telegram": OPEN_GRAPH,
    "LINE": {"og:title", "og:description", "og:image"},
    "WeChat": {"description", "og:title", "og:image"},
    "X": {"twitter:card", "twitter:title", "twitter:description", "twitter:image", "twitter:image:alt"},
    "iMessage": {"og:title", "og:image"},
    "Slack": {*OPEN_GRAPH, "twitter:card"},
    "Pinterest": {"og:type", "og:title", "product:price:amount", "product:price:currency", "product:availability"},
}
"""What each needs for a card with a picture, a title and a text, as each documents it."""


@pytest.mark.parametrize("reader", READ_BY)
@pytest.mark.parametrize("language", Language)
def test_each_chat_finds_what_it_reads(reader: str, language: Language) -> None:
    """Every tag is there once and says something."""
    metas = Read(page_of("tipped", language)).metas
    assert {name for name in READ_BY[reader] if [bool(said) for said in metas[name]] != [True]} == set()


def test_a_card_tells_the_price_and_what_one_more_is_worth() -> None:
    """Title with the present price, the news as description, a large picture with its size, addresses in full."""
    metas = {name: said[0] for name, said in Read(page_of()).metas.items()}
    assert metas["og:title"] == metas["twitter:title"] == "Jasmine tea, 250 g · $9.00"
    assert metas["og:description"] == metas["description"] == "One more and all 4 of us save $2.00 each."
    assert metas["og:image"].startswith(f"{ORIGIN}/i/{CODE}/card/en-")
    assert (metas["og:image:width"], metas["og:image:height"], metas["og:image:type"]) == ("1200", "630", "image/jpeg")
    assert metas["twitter:card"] == "summary_large_image"
    assert (metas["product:price:amount"], metas["product:price:currency"]) == ("9.00", "USD")
    assert metas["og:image:alt"].startswith("Jasmine tea, 250 g. One more")


def test_the_picture_changes_with_the_tier() -> None:
    """Chats keep a picture for ever, so another price is another address."""
    pictures = {Read(page_of(state)).metas["og:image"][0] for state in ("open", "tipped", "lowest", "succeeded")}
    assert len(pictures) == 4


@pytest.mark.parametrize(
    ("state", "changes", "own", "searched"),
    [
        ("tipped", {}, f"{ORIGIN}/i/{CODE}", False),
        ("tipped", {"invite": None}, f"{ORIGIN}/g/{GROUP_ID}", True),
        ("failed", {"invite": None}, f"{ORIGIN}/g/{GROUP_ID}", False),
    ],
)
def test_links_of_a_group_are_one_page_to_search_engines(
    state: str, changes: dict[str, Any], own: str, *, searched: bool
) -> None:
    """Shared on, a link stays the sharer's; searched for is the group's own page alone, while one can join it."""
    read = Read(page_of(state, **changes))
    assert read.one("link", rel="canonical").get("href") == f"{ORIGIN}/g/{GROUP_ID}"
    assert read.metas["og:url"] == [own]
    assert read.metas["robots"] == ([] if searched else ["noindex"])
    oembed = read.one("link", type="application/json+oembed")
    assert oembed.get("href", "").startswith(f"{ORIGIN}/oembed?url=https%3A%2F%2Ftuan.example%2F")


@pytest.mark.parametrize(
    ("language", "locale"),
    [(Language.EN, "en_US"), (Language.ZH, "zh_CN"), (Language.DE, "de_DE"), (Language.ES, "es_ES")],
)
def test_the_locale_is_the_pages(language: Language, locale: str) -> None:
    """And the three others are named."""
    metas = Read(page_of("tipped", language)).metas
    assert metas["og:locale"] == [locale]
    assert len({*metas["og:locale:alternate"], locale}) == 4


@pytest.mark.parametrize(
    ("state", "left", "tag", "availability"),
    [
        ("tipped", 3, "in stock", "LimitedAvailability"),
        ("tipped", 0, "out of stock", "SoldOut"),
        ("succeeded", 3, "out of stock", "SoldOut"),
        ("failed", 3, "out of stock", "Discontinued"),
    ],
)
def test_tags_and_json_ld_equal_the_group(state: str, left: int, tag: str, availability: str) -> None:
    """A schema.org Product whose Offer has the group's price, currency, deadline and address."""
    variants = [replace(variant, stock_left=left) for variant in DEAL.variants]
    read, shown = Read(page_of(state, deal={"variants": variants})), group(state)
    said = read.json_ld
    offer = said["offers"]
    assert (said["@context"], said["@type"], offer["@type"]) == ("https://schema.org", "Product", "Offer")
    assert (said["name"], said["sku"], said["description"]) == (DEAL.title, str(DEAL.id), DEAL.description)
    assert round(float(offer["price"]) * 100) == shown.unit_price
    assert offer["priceCurrency"] == shown.currency
    assert offer["validThrough"] == "2027-05-01T11:00:00Z"
    assert offer["availability"] == f"https://schema.org/{availability}"
    assert read.metas["product:availability"] == [tag]
    assert offer["url"] == said["url"] == f"{ORIGIN}/g/{GROUP_ID}"
    assert offer["seller"]["name"] == "Leaf & Co"
    assert DEAL.image_url in said["image"]


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "900"), ("KWD", "0.900"), ("EUR", "9.00")])
def test_amounts_for_machines_have_the_digits_of_their_currency(currency: str, amount: str) -> None:
    """No thousands' marks, a point, and never rounded."""
    read = Read(page_of(group=replace(group(), currency=currency)))
    assert read.metas["product:price:amount"] == [amount]
    assert read.json_ld["offers"]["price"] == amount


def test_machines_are_told_the_beginning_of_a_long_description() -> None:
    """The page is not twice as heavy for it."""
    said = Read(page_of(deal={"description": "Tea. " * 4_000})).json_ld["description"]
    assert len(said) <= 500
    assert said.startswith("Tea. Tea.")

"""Channels: each address opens its place with exactly what was to be said, whatever that was."""

from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.groupbuy.group import GroupStatus
from domain.sharing.channels import CHATS, Channel, percent_encoded, way_to_share, ways_to_share
from domain.sharing.language import Language
from domain.sharing.texts import ShareTexts, share_texts
from tests.sharing.standing import standing
from tests.sharing.test_texts import TEA

LINK = "https://tuan.example/i/k3v9mq2x"
TEXTS = ShareTexts("Tea & more: +1", "Join me: Tea & more\n#1 100% 茶", "Tea?")

titles = st.text(max_size=200) | st.sampled_from(
    ["&url=https://evil.example", "%0d%0aBcc: x@evil.example", "#?&=+ /\\", "<script>", "\ud800", "a\u2028b", "\0"]
)


@pytest.mark.parametrize(
    ("channel", "begins", "fields"),
    [
        (Channel.WHATSAPP, "https://wa.me/?", {"text": f"{TEXTS.long}\n{LINK}"}),
        (Channel.TELEGRAM, "https://t.me/share/url?", {"url": LINK, "text": TEXTS.long}),
        (Channel.LINE, "https://line.me/R/share?", {"text": f"{TEXTS.long}\n{LINK}"}),
        (Channel.X, "https://x.com/intent/post?", {"text": TEXTS.short, "url": LINK}),
        (Channel.MESSENGER, "fb-messenger://share/?", {"link": LINK}),
        (
            Channel.EMAIL,
            "mailto:?",
            {"subject": "Tea?", "body": f"Join me: Tea & more\r\n#1 100% 茶\r\n{LINK}"},
        ),
        (Channel.SMS, "sms:?&body=", {"body": f"{TEXTS.short} {LINK}"}),
    ],
)
def test_addresses_are_those_the_places_know(channel: Channel, begins: str, fields: dict[str, str]) -> None:
    """The documented form of each place, with these fields and no others."""
    way = way_to_share(channel, TEXTS, LINK)
    assert way.address is not None
    assert way.address.startswith(begins)
    assert decoded(way.address) == fields


def test_messenger_in_a_browser_needs_an_app() -> None:
    """Only where one is configured; it comes back to the link."""
    assert way_to_share(Channel.MESSENGER, TEXTS, LINK).web_address is None
    way = way_to_share(Channel.MESSENGER, TEXTS, LINK, "12345")
    assert way.web_address is not None
    assert way.web_address.startswith("https://www.facebook.com/dialog/send?")
    assert decoded(way.web_address) == {"app_id": "12345", "link": LINK, "redirect_uri": LINK}
    assert decoded(way.address or "") == {"link": LINK, "app_id": "12345"}


def test_a_link_of_no_channel_goes_by_every_chat() -> None:
    """One made for a channel goes by that alone, so that its visits can be told apart; any other name has a text."""
    assert [way.channel for way in ways_to_share(Channel.LINK, TEXTS, LINK)] == list(CHATS)
    assert [way.channel for way in ways_to_share("telegram", TEXTS, LINK)] == ["telegram"]
    for name in (Channel.WECHAT, Channel.QR, Channel.POSTER, "kakao"):
        (way,) = ways_to_share(name, TEXTS, LINK)
        assert (way.address, way.web_address, way.text) == (None, None, f"{TEXTS.long}\n{LINK}")


@given(
    title=titles,
    language=st.sampled_from(Language),
    status=st.sampled_from(GroupStatus),
    channel=st.sampled_from(CHATS),
)
def test_whatever_a_title_is_nothing_is_added_or_lost(
    title: str, language: Language, status: GroupStatus, channel: Channel
) -> None:
    """Hostile titles add no field, recipient or header, and what is decoded is what was to be said."""
    texts = share_texts(standing(TEA, 5, status, title=title), language)
    way = way_to_share(channel, texts, LINK, "12345")
    plain = way_to_share(channel, TEXTS, LINK, "12345")
    for address, usual in ((way.address, plain.address), (way.web_address, plain.web_address)):
        if usual is None:
            assert address is None
            continue
        assert address is not None
        assert address.isascii()
        assert address.isprintable()
        assert " " not in address
        assert urlsplit(address)[:3] == urlsplit(usual)[:3]
        assert urlsplit(address).fragment == ""
        found = decoded(address)
        assert found.keys() == decoded(usual).keys()
        to_say = {LINK, "12345", way.text, texts.short, texts.long, texts.subject}
        assert {value.replace("\r\n", "\n") for value in found.values()} <= to_say
    assert way.text.endswith(LINK)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_percent_encoding_is_that_of_the_library(text: str) -> None:
    """The domain's own encoder, without I/O modules, does what urllib's does."""
    assert percent_encoded(text) == quote(text, safe="")
    assert unquote(percent_encoded(text), errors="strict") == text


def test_half_a_surrogate_pair_breaks_nothing() -> None:
    """What cannot be encoded becomes a question mark."""
    assert percent_encoded("a\ud800") == "a%3F"


def decoded(address: str) -> dict[str, str]:
    """The fields of an address's query, each there once."""
    pairs = parse_qsl(urlsplit(address).query, keep_blank_values=True, strict_parsing=False, errors="strict")
    assert len(pairs) == len(parse_qs(urlsplit(address).query, keep_blank_values=True))
    return dict(pairs)

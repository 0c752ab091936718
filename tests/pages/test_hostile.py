"""Whatever people write, a page is made of the same elements, and says what they wrote as text."""

from typing import Any, Final

import msgspec
import pytest

from api.pages.live_parts import frame_of
from domain.sharing.language import Language
from infra.live import Seen
from tests.pages.reading import Read
from tests.pages.scene import INVITE, page_of, part_of, person

CORPUS: Final = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "</title><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<!-- --><![CDATA[ ]]>",
    '"><img src=x onerror="alert(1)',
    "' onmouseover='alert(1)",
    "` autofocus onfocus=alert(1) `",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "{name} {price} {0} {0.__class__} %s %(name)s",
    '<hx-partial hx-target="body" hx-swap="innerHTML">gone</hx-partial>',
    '<p hx-get="/x" hx-trigger="load" data-hx-on:click="alert(1)">',
    "</template></div></main></body></html>",
    "&lt;b&gt; &amp; &#60; &quot;",
    "<plaintext>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "\u2066\u2067 RTL \u202e override",
    "שלום עולם",
    "a" * 60,
    "\U0001d518\U0001d52b \U0001f469\u200d\U0001f467 \U000e0001",
    '"},"offers":{"price":"0"}',
    "\\u003c/script\\u003e \\",
    "line\u2028paragraph\u2029",
    "x\r\nSet-Cookie: a=b",
    "data: \n\nevent: closed\ndata: x",
)
PLACES: Final = ("title", "description", "sharer", "channel", "member", "merchant", "avatar", "picture")


@pytest.mark.parametrize("place", PLACES)
def test_what_people_write_stays_text(place: str) -> None:
    """Through every field that somebody fills in: no element and no attribute more than for plain words."""
    state = "succeeded" if place == "title" else "tipped"  # other deals' titles are shown after closing
    usual = Read(page_of(state, **_written(place, "plain"))).skeleton()
    for hostile in CORPUS:
        read = Read(page_of(state, **_written(place, hostile)))
        assert read.errors == [], hostile
        assert read.skeleton() == usual, hostile
        assert read.faults() == [], hostile
        assert read.json_ld["@type"] == "Product"
    part = Read.of_part(part_of(state, **_written(place, "plain"))).skeleton()
    for hostile in CORPUS:
        assert Read.of_part(part_of(state, **_written(place, hostile))).skeleton() == part, hostile


@pytest.mark.parametrize("hostile", CORPUS)
def test_what_people_write_is_shown_as_they_wrote_it(hostile: str) -> None:
    """Escaped once: the title, a name, the merchant and the JSON-LD say just that."""
    read = Read(page_of(**_written("title", hostile)))
    assert read.one("h1").text == _as_parsed(hostile)
    assert read.json_ld["name"] == hostile
    assert _as_parsed(hostile) in [one.text for one in Read(page_of(**_written("member", hostile))).all("bdi")]
    seller = Read(page_of(**_written("merchant", hostile))).json_ld["offers"]["seller"]
    assert seller == {"@type": "Organization", "name": hostile}


@pytest.mark.parametrize("language", Language)
def test_names_turn_nothing_around_them(language: Language) -> None:
    """Names, titles and descriptions are isolated, whichever way they run."""
    read = Read(page_of("tipped", language, people=[person("עדה")], deal={"title": "תה", "description": "טוב"}))
    assert {one.text for one in read.all("bdi")} == {"עדה", "Mia", "Leaf & Co"}
    assert read.one("h1").get("dir") == "auto"
    assert read.one("div", dir="auto").text == "טוב"


@pytest.mark.parametrize("hostile", CORPUS)
def test_an_event_holds_one_part(hostile: str) -> None:
    """A name with line ends and words of the protocol neither ends an event nor begins one."""
    part = part_of(people=[person(hostile)]).encode()
    lines = frame_of(Seen(7, b"{}", is_closed=False), part).decode().split("\n")
    assert (lines[0], lines[-2:]) == ("id: 7", ["", ""])
    assert all(line.startswith("data: ") for line in lines[1:-2])
    assert not any("\r" in line for line in lines)


def _written(place: str, words: str) -> dict[str, Any]:
    """A page with these words in a place that somebody fills in."""
    changes: dict[str, dict[str, Any]] = {
        "title": {"deal": {"title": words}},
        "description": {"deal": {"description": words}},
        "picture": {"deal": {"image_url": f"https://x.example/{words}"}},
        "sharer": {"invite": msgspec.structs.replace(INVITE, sharer_name=words)},
        "channel": {"invite": msgspec.structs.replace(INVITE, channel=words)},
        "member": {"people": [person(words, is_leader=True)]},
        "avatar": {"people": [person("Ada", f"https://x.example/{words}")]},
        "merchant": {"merchant_name": words},
    }
    return changes[place]


def _as_parsed(words: str) -> str:
    """As any reader of HTML has it: line ends are one character."""
    return words.replace("\r\n", "\n")

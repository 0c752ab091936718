"""Templates, filled in: everything that comes from people is escaped.

The one stylesheet stands in each page, so that the first paint needs one answer; the policy allows it by its hash, and
no other style, no script that stands in a page, and nothing of other hosts but pictures.
"""

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from api.answers import Answer, Headers
from api.pages.encodings import packed, takes_gzip
from api.pages.static import address_of
from api.pages.words import OWN_NAMES, Words
from api.requests import AnyRequest
from domain.identity.profile import NAME_CHARACTERS_MAX
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row

HTML: Final = b"text/html; charset=utf-8"
HERE: Final = Path(__file__).parent
PRICE_CHARACTERS_MANY: Final = 10
"""A price of more is written smaller, so that it stays on one line of a narrow screen."""


def _stylesheet() -> str:
    """The stylesheet without what only its readers need."""
    written = (HERE / "static" / "page.css").read_text("utf-8")
    without_comments = re.sub(r"/\*.*?\*/", "", written, flags=re.DOTALL)
    return re.sub(r"\s*([{};,])\s*|(:) ", r"\1\2", re.sub(r"\s+", " ", without_comments)).strip()


STYLESHEET: Final = _stylesheet()
_STYLE_HASH: Final = b64encode(hashlib.sha256(STYLESHEET.encode()).digest())
POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'sha256-%b'; img-src 'self' https:; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'" % _STYLE_HASH
)


def fill(sentence: str, **values: object) -> Markup:
    """A sentence of ours with values, escaped unless they are markup."""
    return escape(sentence).format(**values)


def person(name: str) -> Markup:
    """A name among words of ours: whichever way it is written, it turns nothing around it."""
    return Markup("<bdi>{}</bdi>").format(name)


def struck(amount: str) -> Markup:
    """A price that is not paid."""
    return Markup("<s>{}</s>").format(amount)


def moment(at: datetime, words: Words) -> Markup:
    """A moment: for people in UTC, for browsers so that they can tell it in their own time."""
    return Markup('<time datetime="{}">{}</time>').format(machine_time(at), words.moment_text(at))


def machine_time(at: datetime) -> str:
    """A moment as HTML writes it for machines."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_environment: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["fill"] = fill
_environment.globals.update(
    static=address_of, person=person, struck=struck, moment=moment, machine_time=machine_time, own_names=OWN_NAMES
)
_environment.globals.update(in_a_row=in_a_row)
_environment.globals.update(NAME_CHARACTERS_MAX=NAME_CHARACTERS_MAX, PRICE_CHARACTERS_MANY=PRICE_CHARACTERS_MANY)
_environment.globals["stylesheet"] = Markup(STYLESHEET)  # noqa: S704 - a file of ours


@cache
def template(name: str) -> Template:
    """A template by its file's name."""
    return _environment.get_template(name)


def html(name: str, **shown: Any) -> bytes:  # noqa: ANN401 - whatever it shows
    """A page, or a part of one, as it is sent."""
    return template(name).render(shown).encode()


def made_for(
    request: AnyRequest, language: Language, content: bytes, status: int = 200, headers: Headers = ()
) -> Answer:
    """A page, or a part of one, for whoever asks now: packed where they take that, kept by nobody."""
    head = [
        (b"cache-control", b"private, no-store"),
        (b"content-language", language.encode()),
        (b"content-security-policy", POLICY),
        (b"x-robots-tag", b"noindex"),
        *headers,
    ]
    if takes_gzip(request):
        content = packed(content)
        head.append((b"content-encoding", b"gzip"))
    return Answer(status, content, head, HTML)


def page(name: str, headers: Headers = (), status: int = 200, **shown: Any) -> Answer:  # noqa: ANN401 - whatever it shows
    """A page for a person."""
    return Answer(status, html(name, **shown), ((b"content-security-policy", POLICY), *headers), HTML)

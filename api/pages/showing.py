"""Templates, filled in: everything that comes from people is escaped."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from api.answers import Answer, Headers
from api.pages.static import address_of
from domain.pricing.currency import format_minor

HTML: Final = b"text/html; charset=utf-8"
POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["money"] = format_minor
_environment.globals["static"] = address_of


@cache
def template(name: str) -> Template:
    """A template by its file's name."""
    return _environment.get_template(name)


def page(name: str, headers: Headers = (), status: int = 200, **shown: Any) -> Answer:  # noqa: ANN401 - whatever it shows
    """A page for a person."""
    return Answer(status, template(name).render(shown).encode(), ((b"content-security-policy", POLICY), *headers), HTML)

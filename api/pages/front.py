"""The page at `/`, for whoever comes without a link: what this is, deals to join, and where the API is told."""

from http import HTTPStatus

from api.answers import Answer
from api.pages.asking import is_for_a_person
from api.pages.group_html import elsewhere_cards
from api.pages.kept import VARY
from api.pages.showing import page
from api.pages.speaking import WORDS, spoken_to
from api.refused import NothingHere
from api.requests import AnyRequest, runtime_of
from api.routing import route


@route("GET", "/")
async def show_front(request: AnyRequest) -> Answer:
    """A page for people; there is nothing for programs here."""
    if not is_for_a_person(request):
        raise NothingHere
    language = spoken_to(request)
    headers = (
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept, " + VARY),
        (b"content-language", language.encode()),
    )
    deals = elsewhere_cards(await runtime_of(request).landings.elsewhere(), language)
    words = WORDS[language]
    return page(
        "front.html", headers, HTTPStatus.OK, words=words, language=language, other_groups=[], other_deals=deals
    )

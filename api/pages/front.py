"""The page at `/`, for whoever comes without a link: what this is, deals to join, and where the API is told."""

from api.answers import Answer
from api.pages.asking import is_for_a_person
from api.pages.group_html import elsewhere_cards
from api.pages.showing import html, made_for
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
    deals = elsewhere_cards(await runtime_of(request).landings.elsewhere(), language)
    content = html("front.html", words=WORDS[language], language=language, other_groups=[], other_deals=deals)
    return made_for(request, language, content)

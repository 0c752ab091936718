"""Ending letters by the link that each of them has: a page that asks, as programs open links too, and one that says so.

A mail program's own button sends the same form without showing a page (RFC 8058). Nobody has to sign in.
"""

from api.answers import Answer
from api.pages.kept import VARY
from api.pages.showing import page
from api.pages.speaking import WORDS, spoken_to
from api.refused import NothingHere
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.notices.unsubscribing import Unwanted, stop_letters


@route("GET", "/unsubscribe/{token}")
async def ask_whether(request: AnyRequest) -> Answer:
    """Nothing is ended yet: programs that look through mail open its links."""
    unwanted_of(request)
    return _shown(request, is_done=False)


@route("POST", "/unsubscribe/{token}")
async def end_letters(request: AnyRequest) -> Answer:
    """Whatever the form says: who has the link has the letter. Sending it again is safe."""
    unwanted = unwanted_of(request)
    async with runtime_of(request).engine.begin() as connection:
        await stop_letters(connection, unwanted)
    return _shown(request, is_done=True)


def unwanted_of(request: AnyRequest) -> Unwanted:
    """What the link is for; raises `NothingHere` for one that is not from us."""
    unwanted = runtime_of(request).unsubscribing.read(request.scope["path_params"]["token"])
    if unwanted is None:
        raise NothingHere
    return unwanted


def _shown(request: AnyRequest, *, is_done: bool) -> Answer:
    language = spoken_to(request)
    headers = (
        (b"cache-control", b"no-store"),
        (b"vary", VARY),
        (b"content-language", language.encode()),
    )
    return page("unsubscribe.html", headers, words=WORDS[language], language=language, is_done=is_done)

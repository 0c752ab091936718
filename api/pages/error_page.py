"""What a browser is shown instead of a page: what is wrong, what to do next, and other deals to look at.

Whoever does not ask for HTML gets the problem details, as everywhere. Nothing of the request but its language is in the
page: one for a code that was never given out is that for one that is no longer good.
"""

import re
from http import HTTPStatus
from typing import Final

from litestar.types import Receive, Scope, Send

from api.answers import Answer
from api.pages.asking import is_for_a_person, is_part
from api.pages.group_html import elsewhere_cards
from api.pages.showing import HTML, html, made_for
from api.pages.speaking import WORDS, spoken_to
from api.pages.words import Words
from api.requests import AnyRequest, runtime_of
from domain.sharing.language import Language
from infra.sharing.landings import Elsewhere
from infra.unavailable import Unavailable

_TOLD: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS})
_NO_FORMS: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY})
_KEPT_OF_ANSWERS: Final = frozenset({b"retry-after"})
_FORM: Final = re.compile(r"/g/[0-9a-f-]{36}(?=/)", re.ASCII)
WAIT_S: Final = 10
"""What is said where nobody knows better."""


def as_page(request: AnyRequest, problem: Answer) -> Answer:
    """The problem as a page where a person opened the address of one; else as it is.

    A form's address, opened again as if it were a page's or with what no form sends, leads to the page the form is on.
    """
    page = _FORM.match(request.scope["path"])
    if problem.status in _NO_FORMS and page and is_for_a_person(request):
        target = f"{page[0]}?lang={spoken_to(request)}#join".encode()
        return Answer(HTTPStatus.SEE_OTHER, b"", ((b"location", target), (b"cache-control", b"no-store")), HTML)
    is_told = problem.status in _TOLD or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ErrorPage(request, problem) if is_told and is_for_a_person(request) else problem


class ErrorPage(Answer):
    """A refusal as a page; what else there is to look at is read when it is sent."""

    __slots__ = ("_problem", "_request")

    def __init__(self, request: AnyRequest, problem: Answer) -> None:
        super().__init__(problem.status, b"", (), HTML)
        self._request = request
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = spoken_to(self._request)
        content = await self._content(language, scope["path"])
        kept = [(name, value) for name, value in self._problem.headers if name in _KEPT_OF_ANSWERS]
        await made_for(self._request, language, content, self.status, kept)(scope, receive, send)

    async def _content(self, language: Language, path: str) -> bytes:
        if is_part(self._request):  # the page is there, and what was typed stays in it
            title, why = _said(self._problem, path, WORDS[language])
            return html("error_part.html", title=title, why=why)
        return _content(self._problem, path, language, await self._elsewhere())

    async def _elsewhere(self) -> list[Elsewhere]:
        """Other deals; none while they cannot be read, or are not to be."""
        if self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return []
        try:
            return await runtime_of(self._request).landings.elsewhere()
        except Unavailable:
            return []


def _content(problem: Answer, path: str, language: Language, elsewhere: list[Elsewhere]) -> bytes:
    words = WORDS[language]
    title, why = _said(problem, path, words)
    return html(
        "error.html",
        words=words,
        language=language,
        title=title,
        why=why,
        may_try_again=problem.status >= HTTPStatus.TOO_MANY_REQUESTS,
        other_groups=[],
        other_deals=elsewhere_cards(elsewhere, language),
    )


def _said(problem: Answer, path: str, words: Words) -> tuple[str, str]:
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        return words.too_many, words.too_many_why.format(seconds=_wait_s(problem))
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return words.not_now, words.not_now_why
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return words.fault, words.fault_why
    if path.startswith("/g/"):
        return words.group_unknown, words.group_unknown_why
    return words.link_unknown, words.link_unknown_why


def _wait_s(problem: Answer) -> int:
    told = dict(problem.headers).get(b"retry-after", b"")
    return int(told) if told.isdigit() else WAIT_S

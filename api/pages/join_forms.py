"""Forms on the way into a group: what comes with one, and what it is answered with.

That is the step that is next, or the same again with what was wrong: alone where htmx asks, else on the whole page.
What was done is followed by a redirect there, so that loading the page again, or going back to it, does nothing again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final, Literal, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from litestar.handlers import HTTPRouteHandler

from api.answers import Answer
from api.pages.asking import is_for_a_person, is_part
from api.pages.group_page import shows_of
from api.pages.join_said import REFUSALS, said_of
from api.pages.join_step import Step, may_open
from api.pages.regions import region_of
from api.pages.showing import HTML
from api.pages.sight import card_of
from api.pages.speaking import JOIN_WORDS, spoken_to
from api.pages.standing import step_of
from api.pages.web_forms import Form, check_is_ours, read_form
from api.pages.web_session import visitor_of
from api.pages.your_page import as_answer
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from domain.groupbuy.errors import GroupNotFound
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from infra.sharing.landing import Landing

CARRIED: Final = ("variant", "quantity", "own", "dial", "number")
"""What was chosen, and goes from step to step; in an address too, so nothing that says who somebody is."""
CARRIED_CHARACTERS_MAX: Final = 64

_NOT_KEPT: Final = (b"cache-control", b"no-store")


class Asked(NamedTuple):
    """A form that came, with all that stands around it."""

    request: AnyRequest
    landing: Landing
    language: Language
    form: Form

    @property
    def group_id(self) -> UUID:
        """The group it is about."""
        return self.landing.group.id

    @property
    def region(self) -> str:
        """Where the phone number is at home."""
        return region_of(self.request, self.language, self.form)

    @property
    def is_own(self) -> bool:
        """Whether a group of their own is to be opened."""
        return self.form.get("own") == "1"


def form_route(
    path: str, *, at: Literal["who", "code", "place"]
) -> Callable[[Callable[[Asked], Awaitable[Answer]]], HTTPRouteHandler]:
    """A handler of a form, sent at a step of the way; what bars it is said there, with what was typed kept."""

    def handler(handle: Callable[[Asked], Awaitable[Answer]]) -> HTTPRouteHandler:
        async def answered(request: AnyRequest) -> Answer:
            asked = await asked_of(request)
            try:
                check_is_ours(request)
                asked = asked._replace(form=await read_form(request))
                return await handle(asked)
            except REFUSALS as refusal:
                return await barred(asked, refusal, at)

        return route("POST", path)(answered)

    return handler


async def asked_of(request: AnyRequest, form: Form | None = None) -> Asked:
    """What is asked for, of the group in the path; raises `GroupNotFound`."""
    group_id = path_id(request, "group_id")
    landing = await runtime_of(request).landings.of_group(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return Asked(request, landing, spoken_to(request), form or {})


async def show_next(asked: Asked) -> Answer:
    """The step that comes next for whoever asks."""
    return await show(asked, await next_step(asked))


async def go_on(asked: Asked) -> Answer:
    """After signing in: on to the next step with what was chosen."""
    if is_part(asked.request):
        return await show_next(asked)
    chosen = {name: asked.form[name] for name in CARRIED if name in asked.form}
    short = {name: text for name, text in chosen.items() if len(text) <= CARRIED_CHARACTERS_MAX}
    return _see(f"/g/{asked.group_id}/join?{urlencode({'lang': asked.language, **short})}#join")


def go_to(asked: Asked, group_id: UUID) -> Answer:
    """After something was done: on to a group's page."""
    target = f"/g/{group_id}?lang={asked.language}"
    if is_part(asked.request) and group_id != asked.group_id:
        return Answer(200, b"", ((b"hx-redirect", target.encode()), _NOT_KEPT), HTML)
    return _see(f"{target}#join")


async def show(asked: Asked, step: Step, status: int = 200, retry_after_s: int | None = None) -> Answer:
    """A step, as the answer to what somebody did."""
    shows = await shows_of(runtime_of(asked.request), asked.landing)
    answer = as_answer(asked.request, shows, asked.language, replace(step, moves_focus=True), status)
    if retry_after_s is not None:
        answer.headers.append((b"retry-after", b"%d" % retry_after_s))
    return answer


async def next_step(asked: Asked) -> Step:
    """Where they stand; whoever came too late for the group goes on to one of their own, with what they typed."""
    request, landing, language = asked.request, asked.landing, asked.language
    step = await step_of(request, landing, language, asked.form)
    is_late = step.name == "over" or (step.name == "missed" and bool(asked.form))
    if not is_late or not may_open(landing.deal):
        return step
    own, words = await step_of(request, landing, language, {**asked.form, "own": "1"}), JOIN_WORDS[language]
    return replace(own, problem=in_a_row((words.group_closed, words.go_elsewhere), language))


async def barred(asked: Asked, refusal: Exception, at: str) -> Answer:
    """The step again, with what was wrong; and other groups where this one is of no use any more.

    Whoever is no person has the refusal raised again.
    """
    request, landing, language = asked.request, asked.landing, asked.language
    if not is_for_a_person(request):
        raise refusal
    said = said_of(refusal, language, asked.region)
    if at == "code" and "phone" not in said.errors and "phone" in asked.form:
        step = Step(name="code", typed=asked.form, phone=asked.form["phone"])
    else:
        await visitor_of(request)
        step = await next_step(asked)
    others = await runtime_of(request).landings.other_groups(landing.group) if said.shows_others else []
    elsewhere = [card_of(landing.deal, other, language) for other in others]
    problem = step.problem if step.name == "missed" else said.problem
    step = replace(step, problem=problem, errors=said.errors, elsewhere=elsewhere)
    return await show(asked, step, said.status, said.retry_after_s)


def _see(address: str) -> Answer:
    return Answer(HTTPStatus.SEE_OTHER, b"", ((b"location", address.encode()), _NOT_KEPT), HTML)

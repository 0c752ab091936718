"""Joining a group on the web, step by step: which and how many, who it is, where it goes, and then the place itself.

Every step is a plain form that works alone; with htmx the next step takes its place in the page. What was typed travels
along in the forms, and nothing is kept of it here. What counts is told as the API tells it, by the same rules.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.answers import Answer
from api.groups import opening
from api.idempotency import use_key
from api.limiting import limit_recipient
from api.pages.asking import is_for_a_person, is_part
from api.pages.group_page import shows_of
from api.pages.join_said import REFUSALS, said_of
from api.pages.join_step import Step, may_open
from api.pages.place_form import as_place
from api.pages.regions import is_region, region_of
from api.pages.showing import HTML
from api.pages.sight import card_of
from api.pages.speaking import JOIN_WORDS, spoken_to
from api.pages.via import last_link
from api.pages.web_cookies import cookie_headers
from api.pages.web_forms import Form, asked_for, check_is_ours, read_form
from api.pages.web_session import DEVICE, keep_signed_in, leave_session, visitor_of
from api.pages.your_page import as_answer, step_of
from api.participants import joining
from api.place_body import PlaceBody
from api.refused import CodeNotSent, NotAuthenticated, WrongCode
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import is_callers, self_in_group
from api.sign_in import check_code, check_names, sign_in
from api.taking import take_place
from domain.groupbuy.commands import LeaveGroup
from domain.groupbuy.errors import GroupNotFound, InviteNotUsable
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from infra.identity.recipients import as_dialled, phone_recipient
from infra.messages.port import MessageNotSent
from infra.sharing.landing import Landing

WEB_METHODS: Final = {"sandbox": "sandbox_step"}
"""How one pays on the web, by gateway: with a step on a page of its own; others ask for a method by themselves."""

NOT_KEPT: Final = ((b"cache-control", b"no-store"),)


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
        dial = self.form.get("dial", "")
        return dial if is_region(dial) else region_of(self.request, self.language)


class _Place(msgspec.Struct):
    quantity: int
    variant_id: UUID


class _Taken(msgspec.Struct):
    """What of the answer to a join says which place came of it."""

    id: UUID
    you: _Place


_taken_of: Final = msgspec.json.Decoder(_Taken)


def form_route(
    path: str, *, at: Literal["who", "code", "place"]
) -> Callable[[Callable[[Asked], Awaitable[Answer]]], HTTPRouteHandler]:
    """A handler of a form, sent at a step of the way; what bars it is said there, with what was typed kept."""

    def handler(handle: Callable[[Asked], Awaitable[Answer]]) -> HTTPRouteHandler:
        async def answered(request: AnyRequest) -> Answer:
            asked = await _asked(request, {})
            try:
                check_is_ours(request)
                asked = asked._replace(form=await read_form(request))
                return await handle(asked)
            except REFUSALS as refusal:
                if not is_for_a_person(request):
                    raise
                return await _refused(asked, refusal, at)

        return route("POST", path)(answered)

    return handler


@route("GET", "/g/{group_id}/join")
async def show_way_in(request: AnyRequest) -> Answer:
    """The next step for whoever asks."""
    asked = await _asked(request, asked_for(request))
    await visitor_of(request)
    return await _next(asked)


@form_route("/g/{group_id}/join/code", at="who")
async def send_join_code(asked: Asked) -> Answer:
    """Send a code to a phone, and ask for it."""
    request = asked.request
    recipient = phone_recipient(as_dialled(asked.form.get("phone", ""), asked.region))
    await limit_recipient(request, recipient)
    try:
        await runtime_of(request).sign_in.send_code(recipient)
    except MessageNotSent as error:
        raise CodeNotSent from error
    return await _show(asked, Step(name="code", typed=asked.form, phone=recipient.address))


@form_route("/g/{group_id}/join/sign-in", at="code")
async def sign_in_to_join(asked: Asked) -> Answer:
    """Sign in whoever has the code; a guest who was signed in here becomes them."""
    request, form = asked.request, asked.form
    recipient = phone_recipient(form.get("phone", ""))
    code, name = "".join(form.get("code", "").split()), form.get("name")
    check_code(code)
    check_names(None, name)
    await visitor_of(request)
    evidence = await runtime_of(request).sign_in.by_code(recipient, code)
    tokens = evidence and await sign_in(request, evidence, DEVICE, name)
    if tokens is None:
        raise WrongCode
    keep_signed_in(request, tokens)
    return await _next(asked)


@form_route("/g/{group_id}/join/guest", at="who")
async def be_a_guest(asked: Asked) -> Answer:
    """Sign in as nobody in particular; somebody who is signed in already stays who they are."""
    request = asked.request
    if await visitor_of(request) is None:
        keep_signed_in(request, await runtime_of(request).sign_in.as_guest(DEVICE))
    return await _next(asked)


@form_route("/g/{group_id}/join", at="place")
async def take_place_on_page(asked: Asked) -> Answer:
    """Join the group, or open another of its deal; a payment, where one is asked for, is the page's next step."""
    request = asked.request
    if await visitor_of(request) is None:
        raise NotAuthenticated
    method = WEB_METHODS.get(runtime_of(request).settings.payment_gateway)
    body = as_place(asked.form, method, last_link(request, asked.landing.deal.id))
    if "key" in asked.form:
        use_key(request, asked.form["key"])
    try:
        answer = await _take(asked, body)
    except InviteNotUsable:  # whoever brought them, they may come
        answer = await _take(asked, msgspec.structs.replace(body, invite_code=None))
    taken = _taken_of.decode(answer.body)
    if taken.you.quantity != body.quantity or body.variant_id not in {None, taken.you.variant_id}:
        return await _already_in(asked, taken.you.quantity)
    return _go_to(asked, taken.id)


@route("GET", "/g/{group_id}/paid/{order_id}")
async def look_whether_paid(request: AnyRequest) -> Answer:
    """Where the gateway's page leads back to: ask the gateway what came of it, and show how things stand."""
    asked = await _asked(request, {})
    order_id, runtime = path_id(request, "order_id"), runtime_of(request)
    if await visitor_of(request) is not None:
        row = await runtime.payments.find(order_id)
        if row is not None and await is_callers(request, row.shopper_id):
            try:
                await runtime.checkout.look(row)
            except REFUSALS as refusal:
                if not is_for_a_person(request):
                    raise
                return await _refused(asked, refusal, "place")
    return _go_to(asked, asked.group_id)


@form_route("/g/{group_id}/leave", at="place")
async def leave_on_page(asked: Asked) -> Answer:
    """Give the place up."""
    request = asked.request
    caller = await visitor_of(request)
    if caller is None:
        raise NotAuthenticated
    shopper_id = await self_in_group(request, caller, asked.group_id)
    await runtime_of(request).tell(LeaveGroup(group_id=asked.group_id, shopper_id=shopper_id))
    return _go_to(asked, asked.group_id)


@form_route("/g/{group_id}/sign-out", at="place")
async def sign_out_on_page(asked: Asked) -> Answer:
    """End the session of this browser."""
    await leave_session(asked.request)
    return _go_to(asked, asked.group_id)


async def _asked(request: AnyRequest, form: Form) -> Asked:
    group_id = path_id(request, "group_id")
    landing = await runtime_of(request).landings.of_group(group_id)
    if landing is None:
        raise GroupNotFound(group_id)
    return Asked(request, landing, spoken_to(request), form)


async def _take(asked: Asked, body: PlaceBody) -> Answer:
    request, landing = asked.request, asked.landing
    if asked.form.get("own") == "1":
        return await take_place(request, await opening(request, landing.deal.id, body), body)
    return await take_place(request, await joining(request, landing.group.id, body), body)


async def _already_in(asked: Asked, quantity: int) -> Answer:
    """They have a place, and not the one they asked for now."""
    step, words = await _step(asked), JOIN_WORDS[asked.language]
    problem = words.in_already.format(count=f"{quantity} \u00d7")
    return await _show(asked, replace(step, problem=problem), HTTPStatus.CONFLICT)


async def _next(asked: Asked) -> Answer:
    """The step that comes next for whoever asks."""
    return await _show(asked, await _step(asked))


async def _step(asked: Asked) -> Step:
    """Where they stand; whoever came too late for the group goes on to one of their own, with what they typed."""
    request, landing, language = asked.request, asked.landing, asked.language
    step = await step_of(request, landing, language, asked.form)
    if step.name != "over" or not may_open(landing.deal):
        return step
    own, words = await step_of(request, landing, language, {**asked.form, "own": "1"}), JOIN_WORDS[language]
    return replace(own, problem=in_a_row((words.group_closed, words.go_elsewhere), language))


async def _refused(asked: Asked, refusal: Exception, at: str) -> Answer:
    """The step again, with what was wrong; and other groups where this one is of no use any more."""
    request, landing, language = asked.request, asked.landing, asked.language
    said = said_of(refusal, language, asked.region)
    if at == "code" and "phone" not in said.errors and "phone" in asked.form:
        step = Step(name="code", typed=asked.form, phone=asked.form["phone"])
    else:
        await visitor_of(request)
        step = await _step(asked)
    others = await runtime_of(request).landings.other_groups(landing.group) if said.shows_others else []
    elsewhere = [card_of(landing.deal, other, language) for other in others]
    step = replace(step, problem=said.problem, errors=said.errors, elsewhere=elsewhere)
    return await _show(asked, step, said.status)


async def _show(asked: Asked, step: Step, status: int = 200) -> Answer:
    shows = await shows_of(runtime_of(asked.request), asked.landing)
    return as_answer(asked.request, shows, asked.language, replace(step, moves_focus=True), status)


def _go_to(asked: Asked, group_id: UUID) -> Answer:
    """On to a group's page: what was done is not done again by loading it."""
    target = f"/g/{group_id}?lang={asked.language}".encode()
    cookies = cookie_headers(asked.request)
    if is_part(asked.request) and group_id != asked.group_id:
        return Answer(200, b"", ((b"hx-redirect", target), *NOT_KEPT, *cookies), HTML)
    return Answer(HTTPStatus.SEE_OTHER, b"", ((b"location", target + b"#join"), *NOT_KEPT, *cookies), HTML)

"""Joining a group on the web, step by step: which and how many, who it is, where it goes, and then the place itself.

Every step is a plain form that works alone; with htmx the next step takes its place in the page. What was typed travels
along in the forms, and nothing is kept of it here. What counts is told as the API tells it, by the same rules.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec

from api.answers import Answer
from api.groups import opening
from api.idempotency import use_key
from api.limiting import limit_recipient
from api.pages.join_forms import Asked, asked_of, barred, form_route, go_on, go_to, next_step, show, show_next
from api.pages.join_said import REFUSALS
from api.pages.join_step import Step
from api.pages.place_form import as_place
from api.pages.speaking import JOIN_WORDS
from api.pages.via import last_link
from api.pages.web_forms import form_in_address
from api.pages.web_session import keep_signed_in, leave_session, visitor_of
from api.participants import joining
from api.place_body import PlaceBody
from api.refused import CodeNotSent, NotAuthenticated, WrongCode
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import is_callers, self_in_group
from api.sign_in import check_code, check_names, sign_in
from api.taking import looked_at, take_place
from domain.groupbuy.commands import LeaveGroup
from domain.groupbuy.errors import InviteNotUsable
from domain.identity.permissions import Role
from infra.identity.recipients import as_dialled, phone_recipient
from infra.identity.sessions import BROWSER
from infra.messages.port import MessageNotSent
from infra.reading.own_affairs import has_anything

WEB_METHODS: Final = {"sandbox": "sandbox_step"}
"""How one pays on the web, by gateway: with a step on a page of its own; others ask for a method by themselves."""


class _Place(msgspec.Struct):
    quantity: int
    variant_id: UUID


class _Taken(msgspec.Struct):
    """What of the answer to a join says which place came of it; none where it was given up meanwhile."""

    id: UUID
    you: _Place | None


_taken_of: Final = msgspec.json.Decoder(_Taken)


@route("GET", "/g/{group_id}/join")
async def show_way_in(request: AnyRequest) -> Answer:
    """The next step for whoever asks."""
    asked = await asked_of(request, form_in_address(request))
    await visitor_of(request)
    return await show_next(asked)


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
    return await show(asked, Step(name="code", typed=asked.form, phone=recipient.address))


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
    tokens = evidence and await sign_in(request, evidence, BROWSER, name)
    if tokens is None:
        raise WrongCode
    keep_signed_in(request, tokens)
    return await go_on(asked)


@form_route("/g/{group_id}/join/guest", at="who")
async def be_a_guest(asked: Asked) -> Answer:
    """Sign in as nobody in particular; somebody who is signed in already stays who they are."""
    request = asked.request
    if await visitor_of(request) is None:
        keep_signed_in(request, await runtime_of(request).sign_in.as_guest(BROWSER))
    return await go_on(asked)


@form_route("/g/{group_id}/join", at="place")
async def take_place_on_page(asked: Asked) -> Answer:
    """Join the group, or open another of its deal; a payment, where one is asked for, is the page's next step."""
    request = asked.request
    if await visitor_of(request) is None:
        raise NotAuthenticated
    body = as_place(asked.form, WEB_METHODS.get(runtime_of(request).settings.payment_gateway))
    if "key" in asked.form:  # the form has two buttons, and what one did is not what the other does
        use_key(request, f"{asked.form['key']}{'.own' if asked.is_own else ''}")
    try:
        answer = await _take(asked, body, last_link(request, asked.landing.deal.id))
    except InviteNotUsable:  # whoever brought them, they may come
        answer = await _take(asked, body, None)
    taken = _taken_of.decode(answer.body)
    if taken.you is not None and not _is_what_was_asked(taken.you, body):
        return await _already_in(asked, taken.you.quantity)
    return go_to(asked, taken.id)


@route("GET", "/g/{group_id}/paid/{order_id}")
async def look_whether_paid(request: AnyRequest) -> Answer:
    """Where the gateway's page leads back to: ask the gateway what came of it, and show how things stand."""
    asked = await asked_of(request)
    order_id = path_id(request, "order_id")
    if await visitor_of(request) is not None:
        row = await runtime_of(request).payments.find(order_id)
        if row is not None and await is_callers(request, row.shopper_id):
            try:
                await looked_at(request, row, WEB_METHODS.get(row.gateway))
            except REFUSALS as refusal:
                return await barred(asked, refusal, "place")
    return go_to(asked, asked.group_id)


@form_route("/g/{group_id}/leave", at="place")
async def leave_on_page(asked: Asked) -> Answer:
    """Give the place up."""
    request = asked.request
    caller = await visitor_of(request)
    if caller is None:
        raise NotAuthenticated
    shopper_id = await self_in_group(request, caller, asked.group_id)
    await runtime_of(request).tell(LeaveGroup(group_id=asked.group_id, shopper_id=shopper_id))
    return go_to(asked, asked.group_id)


@form_route("/g/{group_id}/sign-out", at="place")
async def sign_out_on_page(asked: Asked) -> Answer:
    """End the session of this browser; a guest who would lose what they have is asked once more."""
    if "sure" not in asked.form and await _would_lose(asked.request):
        return await show(asked, Step(name="parting"))
    await leave_session(asked.request)
    return go_to(asked, asked.group_id)


async def _would_lose(request: AnyRequest) -> bool:
    """Whether whoever is signed in here has something, and nothing but this browser to get at it with."""
    caller = await visitor_of(request)
    if caller is None or Role.GUEST not in caller.roles:
        return False
    return await has_anything(runtime_of(request).engine, caller.subject)


async def _take(asked: Asked, body: PlaceBody, invite_code: str | None) -> Answer:
    """Take the place; whose link brought them is no part of what the form's key stands for: it may change meanwhile."""
    request, landing = asked.request, asked.landing
    brought = msgspec.structs.replace(body, invite_code=invite_code)
    if asked.is_own:
        return await take_place(request, await opening(request, landing.deal.id, brought), body)
    return await take_place(request, await joining(request, landing.group.id, brought), body)


def _is_what_was_asked(you: _Place, body: PlaceBody) -> bool:
    return you.quantity == body.quantity and body.variant_id in {None, you.variant_id}


async def _already_in(asked: Asked, quantity: int) -> Answer:
    """They have a place, and not the one they asked for now."""
    problem = JOIN_WORDS[asked.language].in_already.format(count=f"{quantity} \u00d7")
    return await show(asked, replace(await next_step(asked), problem=problem), HTTPStatus.CONFLICT)

"""A group's page for somebody who is signed in here: where they stand, and what they can do next.

It is theirs alone: made for each request and kept by nobody.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from api.access import caller_if_known
from api.answers import Answer
from api.pages.apps import apps_of
from api.pages.asking import is_part
from api.pages.encodings import packed, takes_gzip
from api.pages.group_html import Shows, join_part, page_with
from api.pages.join_step import CHOOSING, NOTHING, Paying, Step, Taken, may_open
from api.pages.regions import is_region, region_of
from api.pages.showing import HTML, POLICY
from api.pages.web_cookies import cookie_headers
from api.pages.web_session import visitor_of
from api.requests import AnyRequest, runtime_of
from api.selves import self_in_group, sharer
from domain.groupbuy.commands import CreateInvite
from domain.groupbuy.errors import GroupClosed, TooManyLinks
from domain.groupbuy.group import Place
from domain.identity.permissions import Role
from domain.sharing.amounts import amount_text
from domain.sharing.channels import Channel
from domain.sharing.language import Language
from infra.batch import Stored
from infra.identity.region_names import regions_by_name
from infra.ids import new_invite_code
from infra.payments.payment_rows import NotedPayment
from infra.reading.invites import InviteView
from infra.sharing.landing import Landing
from infra.sharing.own_link import find_own_link
from infra.tokens import Claims
from infra.views import place_view

KEY_BYTES: Final = 16
SANDBOX: Final = "sandbox"


async def your_page(request: AnyRequest, shows: Shows, language: Language) -> Answer:
    """The page for whoever is signed in, or was until now. Raises `Unavailable`."""
    if await visitor_of(request) is None:
        step = Step(name="over") if shows.landing.group.is_closed else CHOOSING
    else:
        step = await step_of(request, shows.landing, language)
    return as_answer(request, shows, language, replace(step, moves_focus=is_part(request)))


def as_answer(request: AnyRequest, shows: Shows, language: Language, step: Step, status: int = 200) -> Answer:
    """A step on its page, or alone where the page is there already."""
    settings = runtime_of(request).settings
    if is_part(request):
        content = join_part(shows, language, settings.origin, step)
    else:
        content = page_with(shows, language, settings.origin, step, apps_of(settings))
    headers = [
        (b"cache-control", b"private, no-store"),
        (b"content-language", language.encode()),
        (b"content-security-policy", POLICY),
        (b"x-robots-tag", b"noindex"),
        *cookie_headers(request),
    ]
    if takes_gzip(request):
        content = packed(content)
        headers.append((b"content-encoding", b"gzip"))
    return Answer(status, content, headers, HTML)


async def step_of(
    request: AnyRequest, landing: Landing, language: Language, typed: Mapping[str, str] = NOTHING
) -> Step:
    """Where the caller stands with a group; raises `Unavailable`."""
    caller, group, is_own = caller_if_known(request), landing.group, typed.get("own") == "1"
    is_over = group.is_closed and not (is_own and may_open(landing.deal))
    if caller is None:
        region = _region(request, language, typed)
        regions = regions_by_name(language)
        return Step(name="over" if is_over else "who", typed=typed, regions=regions, region=region)
    step = _of(caller, Step(name="over"))
    shopper_id = await self_in_group(request, caller, group.id)
    if not is_own:
        found = await runtime_of(request).places.find_any(group.deal_id, group.id, shopper_id)
        if isinstance(found, Place):
            return await _inside(request, landing, language, found, step)
        if isinstance(found, NotedPayment):
            return _paying(landing, language, found, step)
    if is_over:
        return step
    return replace(
        step,
        name="place",
        typed=typed,
        key=secrets.token_urlsafe(KEY_BYTES),
        regions=regions_by_name(language),
        region=_region(request, language, typed),
    )


def _region(request: AnyRequest, language: Language, typed: Mapping[str, str]) -> str:
    """Where they are at home: as the dial code says that they chose, else a guess."""
    dial = typed.get("dial", "")
    return dial if is_region(dial) else region_of(request, language)


def _of(caller: Claims, step: Step) -> Step:
    return replace(step, visitor=caller, is_guest=Role.GUEST in caller.roles)


async def _inside(request: AnyRequest, landing: Landing, language: Language, place: Place, step: Step) -> Step:
    group = landing.group
    view = place_view(place, group)
    amount = view.hold if view.pays is None else view.pays
    taken = Taken(
        view.quantity,
        _variant(landing, view.variant_id),
        amount_text(amount, group.currency, language),
        is_dropped=place.dropped_at is not None,
        is_nothing=view.pays == 0,
    )
    own_link = None if group.is_closed else await _own_link(request, landing, place.shopper_id)
    may_leave = not group.tipped and not group.is_closed
    return replace(step, name="in", taken=taken, own_link=own_link, may_leave=may_leave)


def _paying(landing: Landing, language: Language, payment: NotedPayment, step: Step) -> Step:
    awaited = payment.awaited
    back = f"/g/{landing.group.id}/paid/{payment.order_id}"
    address = awaited.redirect_url
    if address is not None and payment.gateway == SANDBOX:
        address += f"&back={back}"
    amount = amount_text(awaited.amount, awaited.currency, language)
    paying = Paying(
        amount,
        awaited.pay_by,
        address,
        is_ready=awaited.client_secret is not None,
        look_again=f"{back}?lang={language}",
    )
    taken = Taken(payment.quantity, _variant(landing, payment.variant_id), amount)
    return replace(step, name="pay", paying=paying, taken=taken, may_leave=True)


def _variant(landing: Landing, variant_id: UUID) -> str | None:
    """What tells a variant from the others; nothing where there are no others."""
    variants = landing.deal.variants
    return next((one.title for one in variants if one.id == variant_id), None) if len(variants) > 1 else None


async def _own_link(request: AnyRequest, landing: Landing, shopper_id: UUID) -> InviteView | None:
    """The visitor's own link, made when it is first shown; None where the group has closed or allows no more."""
    runtime, group = runtime_of(request), landing.group
    sharer_id = await sharer(request, group.id, Channel.LINK)
    code = await find_own_link(runtime.engine, group.id, sharer_id, Channel.LINK)
    if code is None:
        command = CreateInvite(group_id=group.id, sharer_id=shopper_id, channel=Channel.LINK, code=new_invite_code())
        try:
            accepted = await runtime.tell(command)
        except (GroupClosed, TooManyLinks):
            return None
        assert not isinstance(accepted, Stored)
        assert accepted.state.invite is not None
        code = accepted.state.invite.code
    return InviteView(
        code=code,
        deal_id=landing.deal.id,
        group_id=group.id,
        sharer_name="",
        channel=Channel.LINK,
        parent_code=None,
        joins=0,
        created_at=group.opened_at,
    )

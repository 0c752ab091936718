"""Where somebody stands with a group: at a step of the way into it, with a payment to make, or in."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote
from uuid import UUID

from api.access import caller_if_known, caller_of
from api.pages.join_step import NOTHING, Asks, Paying, Step, Taken, may_open
from api.pages.regions import region_of
from api.pages.speaking import JOIN_WORDS
from api.requests import AnyRequest, runtime_of
from api.selves import self_in_group, sharer
from domain.groupbuy.commands import CreateInvite
from domain.groupbuy.errors import GroupClosed, TooManyLinks
from domain.groupbuy.group import Place
from domain.identity.permissions import Role
from domain.sharing.amounts import amount_text
from domain.sharing.channels import Channel
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from infra.batch import Stored
from infra.identity.region_names import regions_by_name
from infra.ids import new_invite_code
from infra.payments.payment_rows import NotedPayment
from infra.reading.deals import DealView
from infra.reading.own_affairs import Missed, find_missed
from infra.sharing.landing import Landing
from infra.sharing.own_link import find_own_link
from infra.tokens import Claims
from infra.unavailable import Unavailable
from infra.views import place_view

KEY_BYTES: Final = 16
SANDBOX: Final = "sandbox"


async def step_of(
    request: AnyRequest, landing: Landing, language: Language, typed: Mapping[str, str] = NOTHING
) -> Step:
    """The step of whoever asks; raises `Unavailable`."""
    caller, is_own = caller_if_known(request), typed.get("own") == "1"
    step = Step(name="over", visitor=caller, is_guest=caller is not None and Role.GUEST in caller.roles)
    if caller is not None and not is_own:
        if step.is_guest and typed.get("number") == "1":
            return _asked_who(request, language, typed, step)
        found = await _found(request, landing, caller)
        if isinstance(found, Place):
            return await _inside(request, landing, language, found, step)
        if isinstance(found, NotedPayment) and not landing.group.is_closed:
            return _paying(landing, language, found, step)
        step = await _without_place(request, landing, language, found, step)
    if landing.group.is_closed and not (is_own and may_open(landing.deal)):
        return step
    asks = _opening_asks(landing.deal, language) if is_own else _joining_asks(landing, language)
    is_unknown = caller is None or (step.is_guest and not asks.guests_may_buy)
    asked = replace(_asked_who(request, language, typed, step), asks=asks)
    return asked if is_unknown else replace(asked, name="place", key=secrets.token_urlsafe(KEY_BYTES))


def _joining_asks(landing: Landing, language: Language) -> Asks:
    """What the group was opened with; its deal may ask for something else by now."""
    terms = landing.terms
    return Asks(
        needs_shipping=terms.needs_shipping,
        guests_may_buy=terms.guests_may_buy,
        takes_payment=terms.payment is not None,
        ceiling_price=amount_text(terms.schedule.ceiling_price, terms.currency, language),
        units_max=terms.units_per_shopper_max,
    )


def _opening_asks(deal: DealView, language: Language) -> Asks:
    return Asks(
        needs_shipping=deal.needs_shipping,
        guests_may_buy=deal.guests_may_buy,
        takes_payment=deal.takes_payment,
        ceiling_price=amount_text(deal.tiers[0].unit_price, deal.currency, language),
        units_max=deal.units_per_shopper_max,
    )


def _asked_who(request: AnyRequest, language: Language, typed: Mapping[str, str], step: Step) -> Step:
    return replace(
        step,
        name="who",
        typed=typed,
        regions=regions_by_name(language),
        region=region_of(request, language, typed),
    )


async def _found(request: AnyRequest, landing: Landing, caller: Claims) -> Place | NotedPayment | None:
    group = landing.group
    shopper_id = await self_in_group(request, caller, group.id)
    return await runtime_of(request).places.find_any(group.deal_id, group.id, shopper_id)


async def _without_place(
    request: AnyRequest, landing: Landing, language: Language, unpaid: NotedPayment | None, step: Step
) -> Step:
    """Somebody who is not in: what became of the place they had reserved, if they had one."""
    caller, words = caller_of(request), JOIN_WORDS[language]
    missed = Missed() if unpaid else await find_missed(runtime_of(request).engine, caller.subject, landing.group.id)
    if missed is None:
        return step
    if not landing.group.is_closed:
        ran_out = words.lapsed if missed.ran_out else None  # whoever was declined, or gave it up, knows
        return replace(step, problem=words.too_late if missed.came_late else ran_out)
    why = words.too_late if missed.came_late else words.missed
    where_to = words.go_elsewhere if may_open(landing.deal) else None
    return replace(step, name="missed", problem=in_a_row((why, where_to), language))


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
    own_code = None if group.is_closed else await _own_code(request, group.id, place.shopper_id)
    return replace(step, name="in", taken=taken, own_code=own_code, may_leave=not group.tipped and not group.is_closed)


def _paying(landing: Landing, language: Language, payment: NotedPayment, step: Step) -> Step:
    awaited = payment.awaited
    back = f"/g/{landing.group.id}/paid/{payment.order_id}?lang={language}"
    address = awaited.redirect_url
    if address is not None and payment.gateway == SANDBOX:
        address += f"&back={quote(back)}"
    amount = amount_text(awaited.amount, awaited.currency, language)
    paying = Paying(
        amount,
        awaited.pay_by,
        address,
        is_ready=awaited.client_secret is not None,
        look_again=back,
    )
    taken = Taken(payment.quantity, _variant(landing, payment.variant_id), amount)
    return replace(step, name="pay", paying=paying, taken=taken)


def _variant(landing: Landing, variant_id: UUID) -> str | None:
    """What tells a variant from the others; nothing where there are no others."""
    variants = landing.deal.variants
    return next((one.title for one in variants if one.id == variant_id), None) if len(variants) > 1 else None


async def _own_code(request: AnyRequest, group_id: UUID, shopper_id: UUID) -> str | None:
    """The code of the visitor's own link, made when it is first shown; None where none can be made now.

    That keeps nobody from seeing their place: in a rush, when commands are not taken, least of all.
    """
    runtime, sharer_id = runtime_of(request), await sharer(request, group_id, Channel.LINK)
    code = await find_own_link(runtime.engine, group_id, sharer_id, Channel.LINK)
    if code is not None:
        return code
    command = CreateInvite(group_id=group_id, sharer_id=shopper_id, channel=Channel.LINK, code=new_invite_code())
    try:
        accepted = await runtime.tell(command)
    except (GroupClosed, TooManyLinks, Unavailable):
        return None
    assert not isinstance(accepted, Stored)
    assert accepted.state.invite is not None
    return accepted.state.invite.code

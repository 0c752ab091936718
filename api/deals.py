"""Deals: written and run by their merchant, read by anyone."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from api.access import caller_if_known, may_for, merchant_of
from api.answers import NOT_KEPT, Answer, answered, encode, resource
from api.bodies import read_json
from api.deal_bodies import CreateDealBody, EditDealBody
from api.deal_making import deal_created, deal_edited
from api.deeds import deed_of
from api.idempotency import tell
from api.refused import MerchantNotApproved
from api.requests import AnyRequest, cursor_of, invalid, limit_of, path_id, query_choice, query_id, query_of, runtime_of
from api.routing import route
from domain.groupbuy.commands import Command, EndDeal, PauseDeal, PublishDeal, ResumeDeal
from domain.groupbuy.deal import DealStatus
from domain.groupbuy.errors import DealNotFound
from domain.groupbuy.world import Accepted
from domain.identity.permissions import Permission, Standing
from infra.ids import new_id
from infra.payments.merchant_terms import TakingMoney, taking_money
from infra.payments.port import GatewayRefused
from infra.reading.deal_orders import DealSort
from infra.reading.deals import DealView, deal_view, get_deal, list_deals
from infra.reading.merchants import get_merchant
from infra.tokens import Claims

_create_body: Final = msgspec.json.Decoder(CreateDealBody)
_edit_body: Final = msgspec.json.Decoder(EditDealBody)


@route("POST", "/v1/deals")
async def create_deal(request: AnyRequest) -> Answer:
    body = await read_json(request, _create_body)
    command = deal_created(new_id(), merchant_of(request), body, datetime.now(UTC))
    return await tell(request, command, body, _created, deed_of(request, "deal.create"))


@route("GET", "/v1/deals/{deal_id}")
async def read_deal(request: AnyRequest) -> Answer:
    deal = await visible_deal(request)
    return resource(request, encode(deal), deal.version, is_private=deal.status is DealStatus.DRAFT)


@route("PATCH", "/v1/deals/{deal_id}")
async def edit_deal(request: AnyRequest) -> Answer:
    body = await read_json(request, _edit_body)
    deal = await visible_deal(request)
    if deal.merchant_id != merchant_of(request):
        raise DealNotFound(deal.id)
    return await _told(request, deal.id, deal_edited(deal, body), "deal.edit")


@route("POST", "/v1/deals/{deal_id}/publish")
async def publish_deal(request: AnyRequest) -> Answer:
    return await _let_groups_open(request, PublishDeal, "deal.publish")


@route("POST", "/v1/deals/{deal_id}/pause")
async def pause_deal(request: AnyRequest) -> Answer:
    deal_id, merchant_id = path_id(request, "deal_id"), merchant_of(request)
    return await _told(request, deal_id, PauseDeal(deal_id=deal_id, merchant_id=merchant_id), "deal.pause")


@route("POST", "/v1/deals/{deal_id}/resume")
async def resume_deal(request: AnyRequest) -> Answer:
    return await _let_groups_open(request, ResumeDeal, "deal.resume")


@route("POST", "/v1/deals/{deal_id}/end")
async def end_deal(request: AnyRequest) -> Answer:
    deal_id, merchant_id = path_id(request, "deal_id"), merchant_of(request)
    return await _told(request, deal_id, EndDeal(deal_id=deal_id, merchant_id=merchant_id), "deal.end")


@route("GET", "/v1/deals")
async def browse_deals(request: AnyRequest) -> Answer:
    """Live deals, unless a status is asked for; drafts are shown to their merchant alone."""
    query = query_of(request)
    status = query_choice(query, "status", DealStatus)
    merchant_id = query_id(query, "merchant_id")
    if status is DealStatus.DRAFT:  # one's own alone; of nobody's there are none
        merchant_id = _whose_drafts(caller_if_known(request), merchant_id)
    page = await list_deals(
        runtime_of(request).engine,
        status=status,
        sort=query_choice(query, "sort", DealSort) or DealSort.NEWEST,
        q=query.get("q"),
        merchant_id=merchant_id,
        limit=limit_of(query),
        cursor=cursor_of(query),
    )
    return answered(page, headers=NOT_KEPT)


async def visible_deal(request: AnyRequest) -> DealView:
    """The deal the path names; a draft is nobody's to see but its merchant's."""
    deal_id = path_id(request, "deal_id")
    deal = await get_deal(runtime_of(request).engine, deal_id)
    caller = caller_if_known(request)
    is_own = deal is not None and may_for(caller, deal.merchant_id, Permission.MERCHANT_READ)
    if deal is None or (deal.status is DealStatus.DRAFT and not is_own):
        raise DealNotFound(deal_id)
    return deal


def _whose_drafts(caller: Claims | None, merchant_id: UUID | None) -> UUID | None:
    """The merchant whose drafts the caller may see: the one asked for, else the only one they work for."""
    if caller is None:
        return None
    asked = merchant_id or (next(iter(caller.merchants)) if len(caller.merchants) == 1 else None)
    return asked if asked is not None and may_for(caller, asked, Permission.MERCHANT_READ) else None


async def _let_groups_open(request: AnyRequest, command: type[PublishDeal | ResumeDeal], action: str) -> Answer:
    """Publish or resume: either way its groups take money from now on as its merchant's deals do now."""
    deal_id, merchant_id = path_id(request, "deal_id"), merchant_of(request)
    merchant = await get_merchant(runtime_of(request).engine, merchant_id)
    if merchant is not None and merchant.standing is not Standing.APPROVED:
        raise MerchantNotApproved(merchant.standing)  # a token from the command line knows nothing of it
    taking = await _taking_money(request, deal_id, merchant_id)
    opening = command(
        deal_id=deal_id,
        merchant_id=merchant_id,
        crowd_group_id=new_id(),
        payment=taking.payment,
        hold_lifetime_s_max=taking.hold_lifetime_s_max,
    )
    return await _told(request, deal_id, opening, action)


async def _taking_money(request: AnyRequest, deal_id: UUID, merchant_id: UUID) -> TakingMoney:
    """How the deal will take money; raises `InvalidInput` for prices the merchant's gateway cannot take exactly."""
    runtime = runtime_of(request)
    taking = await taking_money(runtime.engine, runtime.settings, runtime.gateways, merchant_id)
    deal = await get_deal(runtime.engine, deal_id)
    if taking.payment is None or deal is None or deal.merchant_id != merchant_id:
        return taking
    prices = {"solo_price": deal.solo_price}
    prices |= {f"tiers[{number}].unit_price": tier.unit_price for number, tier in enumerate(deal.tiers)}
    for field, price_minor in prices.items():
        try:
            runtime.gateways.refuse_price(taking.payment.gateway, price_minor, deal.currency)
        except GatewayRefused as refused:
            raise invalid(field, f"cannot be taken by the payment gateway: {refused}") from None
    return taking


async def _told(request: AnyRequest, deal_id: UUID, command: Command, action: str) -> Answer:
    """Tell a command of a deal's life and show the deal as it then is."""
    runtime = runtime_of(request)
    await runtime.tell(command, deed=deed_of(request, action))
    deal = await get_deal(runtime.engine, deal_id)
    if deal is None:
        raise DealNotFound(deal_id)
    return answered(deal)


def _created(accepted: Accepted) -> Answer:
    deal = accepted.state.deal
    assert deal is not None
    view = deal_view(deal, accepted.state.stock_left, deal.created_at)
    return answered(view, 201, ((b"location", f"/v1/deals/{deal.id}".encode()),))

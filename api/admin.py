"""What administrators do: decide about merchants, look for groups and orders, call a group off, read the audit log.

All of it is in the log, the looking too: with what was looked for and which things were shown.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.access import caller_of
from api.answers import PRIVATE, Answer, answered
from api.bodies import read_json
from api.deeds import deed_of
from api.group_answers import group_body
from api.requests import AnyRequest, cursor_of, invalid, limit_of, path_id, query_choice, query_id, query_of, runtime_of
from api.rights import check_is_administrator, lock_for
from api.routing import route
from domain.errors import FieldProblems
from domain.groupbuy.commands import CancelGroup
from domain.groupbuy.group import GroupStatus
from domain.groupbuy.text import check_line
from domain.identity.errors import MerchantNotFound, StandingNotPossible
from domain.identity.permissions import Standing
from infra.batch import Stored
from infra.identity.audit import REASON_CHARACTERS_MAX, Thing, ThingKind, record
from infra.identity.merchants import set_standing
from infra.reading.administration import (
    GroupFound,
    MerchantFound,
    OrderFound,
    find_groups,
    find_merchants,
    find_orders,
    get_found_merchant,
)
from infra.reading.audit import ACTION_CHARACTERS_MAX, AuditQuery, list_audit
from infra.reading.finding import groups_by, orders_by
from infra.reading.order_rows import ShownStatus
from infra.reading.page import Page
from infra.views import group_view

Reason = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": REASON_CHARACTERS_MAX})]


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Why; the merchant reads it, and it stays in the audit log for ever, so it should name nobody."""

    reason: Reason


_reason_body: Final = msgspec.json.Decoder(ReasonBody)


@route("GET", "/v1/admin/merchants")
async def see_merchants(request: AnyRequest) -> Answer:
    query = query_of(request)
    standing = query_choice(query, "status", Standing)
    page = await find_merchants(runtime_of(request).engine, standing, limit_of(query), cursor_of(query))
    return await _shown(request, "merchants.search", {"status": standing}, page)


@route("POST", "/v1/admin/merchants/{merchant_id}/approve")
async def approve_merchant(request: AnyRequest) -> Answer:
    return await _decide(request, "merchant.approve", {Standing.APPLIED, Standing.REFUSED}, Standing.APPROVED)


@route("POST", "/v1/admin/merchants/{merchant_id}/refuse")
async def refuse_merchant(request: AnyRequest) -> Answer:
    reason = await _reason(request)
    return await _decide(request, "merchant.refuse", {Standing.APPLIED}, Standing.REFUSED, reason)


@route("POST", "/v1/admin/merchants/{merchant_id}/suspend")
async def suspend_merchant(request: AnyRequest) -> Answer:
    """From now on nothing new begins; a worker pauses the deals and cancels the open groups."""
    reason = await _reason(request)
    return await _decide(request, "merchant.suspend", {Standing.APPROVED}, Standing.SUSPENDED, reason)


@route("POST", "/v1/admin/merchants/{merchant_id}/reinstate")
async def reinstate_merchant(request: AnyRequest) -> Answer:
    return await _decide(request, "merchant.reinstate", {Standing.SUSPENDED}, Standing.APPROVED)


@route("GET", "/v1/admin/groups")
async def search_groups(request: AnyRequest) -> Answer:
    query = query_of(request)
    ids = {name: query_id(query, name) for name in ("deal_id", "merchant_id")}
    sought, status = groups_by(query.get("q"), ids), query_choice(query, "status", GroupStatus)
    page = await find_groups(runtime_of(request).engine, sought, status, limit_of(query), cursor_of(query))
    return await _shown(request, "groups.search", sought.told | {"status": status}, page)


@route("POST", "/v1/admin/groups/{group_id}/cancel")
async def call_off_group(request: AnyRequest) -> Answer:
    """As the platform: everybody's money goes back."""
    deed = deed_of(request, "group.cancel", await _reason(request))
    command = CancelGroup(group_id=path_id(request, "group_id"), merchant_id=None)
    accepted = await runtime_of(request).tell(command, deed=deed)
    assert not isinstance(accepted, Stored)
    assert accepted.state.group is not None
    return Answer(200, group_body(group_view(accepted.state.group), None))


@route("GET", "/v1/admin/orders")
async def search_orders(request: AnyRequest) -> Answer:
    query = query_of(request)
    ids = {name: query_id(query, name) for name in ("order_id", "shopper_id", "merchant_id")}
    sought, status = orders_by(query.get("q"), ids), query_choice(query, "status", ShownStatus)
    page = await find_orders(runtime_of(request).engine, sought, status, limit_of(query), cursor_of(query))
    return await _shown(request, "orders.search", sought.told | {"status": status}, page)


@route("GET", "/v1/admin/audit")
async def read_audit(request: AnyRequest) -> Answer:
    query = query_of(request)
    action = query.get("action")
    if action is not None and not (0 < len(action) <= ACTION_CHARACTERS_MAX and action.isprintable()):
        raise invalid("action", f"must have from 1 to {ACTION_CHARACTERS_MAX} characters, such as group.cancel")
    asked = AuditQuery(
        merchant_id=query_id(query, "merchant_id"),
        actor_id=query_id(query, "actor_id"),
        thing_id=query_id(query, "thing_id"),
        action=action,
    )
    page = await list_audit(runtime_of(request).engine, asked, limit_of(query), cursor_of(query))
    return answered(page, headers=PRIVATE)


async def _reason(request: AnyRequest) -> str:
    reason = (await read_json(request, _reason_body)).reason
    problems = FieldProblems()
    check_line(problems, "reason", reason, 1, REASON_CHARACTERS_MAX)
    problems.raise_if_any()
    return reason


async def _decide(
    request: AnyRequest, action: str, among: set[Standing], standing: Standing, reason: str | None = None
) -> Answer:
    """Let a merchant come to stand there, from where this decision is one; decided before, nothing changes."""
    runtime, merchant_id, deed = runtime_of(request), path_id(request, "merchant_id"), deed_of(request, action, reason)
    async with runtime.engine.begin() as connection:
        merchant = await lock_for(request, connection, deed, merchant_id)
        if merchant.standing not in {*among, standing}:
            raise StandingNotPossible(merchant.standing, standing)
        change = await set_standing(connection, merchant_id, standing, reason)
        if change.before is not change.after:
            thing = Thing(ThingKind.MERCHANT, merchant_id, merchant_id)
            # anyone sees the name from now on, so the log may keep it
            named = {"name": merchant.said["name"]} if standing is Standing.APPROVED else {}
            facts = ({"standing": change.before}, {"standing": change.after, **named})
            await record(connection, deed, thing, *facts)
    runtime.revocations.learn(change.revoked)
    await runtime.suspensions.look()
    found = await get_found_merchant(runtime.engine, merchant_id)
    if found is None:
        raise MerchantNotFound(merchant_id)
    return answered(found, headers=PRIVATE)


async def _shown(
    request: AnyRequest,
    action: str,
    sought: dict[str, Any],
    page: Page[MerchantFound] | Page[GroupFound] | Page[OrderFound],
) -> Answer:
    """A page that is in the log before anybody sees it: whose it was, what was looked for, and what was found."""
    items: Iterable[MerchantFound | GroupFound | OrderFound] = page.items
    told = {name: value for name, value in sought.items() if value is not None}
    after = {"sought": told, "found": [item.id for item in items]}
    merchant_id: UUID | None = sought.get("merchant_id")
    deed, thing = deed_of(request, action), Thing(ThingKind.ACCOUNT, caller_of(request).subject, merchant_id)
    async with runtime_of(request).engine.begin() as connection:
        await check_is_administrator(connection, deed)
        await record(connection, deed, thing, None, after)
    return answered(page, headers=PRIVATE)

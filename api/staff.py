"""A merchant's staff: who works there as what, and who was asked to."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from api.access import caller_of, merchant_of
from api.answers import PRIVATE, Answer, NothingToSay, answered
from api.bodies import read_json
from api.deeds import deed_of
from api.limiting import limit_recipient
from api.recipients import Email, Phone, recipient_of
from api.requests import AnyRequest, path_id, runtime_of
from api.rights import lock_for
from api.routing import route
from domain.identity.permissions import StaffRole, Standing
from infra.identity.audit import Deed, Thing, ThingKind, record
from infra.identity.merchants import Merchant
from infra.identity.staff import StaffChange, StaffInvite, accept, change_role, invite, remove, withdraw
from infra.messages.port import Message, MessageNotSent
from infra.reading.merchants import (
    UNNAMED,
    InviteRow,
    MyStaffInvite,
    StaffView,
    list_invites,
    list_my_invites,
    list_staff,
)


class StaffInviteBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Whom to ask, by the phone number or the address they sign in with, and what they would be."""

    phone: Phone | None = None
    email: Email | None = None
    role: StaffRole


class RoleBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What somebody is to be from now on."""

    role: StaffRole


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who works there, who came first first."""

    items: list[StaffView]


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was asked, known here or not; `is_sent` is false where the message could not be handed over."""

    id: UUID
    channel: str
    address: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime
    is_sent: bool


class StaffInvites(msgspec.Struct, frozen=True, kw_only=True):
    """Invites that were not accepted yet, newest first."""

    items: list[InviteRow]


class MyStaffInvites(msgspec.Struct, frozen=True, kw_only=True):
    """Merchants who ask the caller to work for them, newest first."""

    items: list[MyStaffInvite]


class EmployedView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is at a merchant's; their next access token says so."""

    merchant_id: UUID
    account_id: UUID
    role: StaffRole


_invite_body: Final = msgspec.json.Decoder(StaffInviteBody)
_role_body: Final = msgspec.json.Decoder(RoleBody)


@route("GET", "/v1/merchants/{merchant_id}/staff")
async def staff(request: AnyRequest) -> Answer:
    return answered(Staff(items=await list_staff(runtime_of(request).engine, merchant_of(request))), headers=PRIVATE)


@route("PATCH", "/v1/merchants/{merchant_id}/staff/{account_id}")
async def change_staff_role(request: AnyRequest) -> Answer:
    body = await read_json(request, _role_body)
    account_id = path_id(request, "account_id")
    merchant_id, deed = merchant_of(request), deed_of(request, "staff.change")
    async with runtime_of(request).engine.begin() as connection:
        await lock_for(request, connection, deed, merchant_id)
        change = await change_role(connection, merchant_id, account_id, body.role)
        await _record(connection, deed, change)
    return _employed(request, change)


@route("DELETE", "/v1/merchants/{merchant_id}/staff/{account_id}")
async def remove_staff(request: AnyRequest) -> Answer:
    await _remove(request, path_id(request, "account_id"))
    return NothingToSay()


@route("DELETE", "/v1/merchants/{merchant_id}/staff/me")
async def leave_staff(request: AnyRequest) -> Answer:
    """Work there no more, in whatever role."""
    await _remove(request, caller_of(request).subject)
    return NothingToSay()


@route("POST", "/v1/merchants/{merchant_id}/staff-invites")
async def invite_staff(request: AnyRequest) -> Answer:
    """The message leaves after the invite is kept: whoever hears of it can accept it."""
    body = await read_json(request, _invite_body)
    recipient = recipient_of(body.phone, body.email)
    runtime, merchant_id = runtime_of(request), merchant_of(request)
    runtime.messages.check(recipient)
    await limit_recipient(request, recipient)
    deed = deed_of(request, "staff.invite")
    async with runtime.engine.begin() as connection:
        merchant = await lock_for(request, connection, deed, merchant_id)
        made = await invite(connection, merchant_id, recipient, body.role, caller_of(request).subject)
        thing = Thing(ThingKind.STAFF_INVITE, made.id, merchant_id)
        await record(connection, deed, thing, None, {"role": made.role})
    invited = Invited(
        id=made.id,
        channel=recipient.channel,
        address=recipient.address,
        role=made.role,
        created_at=made.created_at,
        expires_at=made.expires_at,
        is_sent=await _send(request, merchant, made),
    )
    return answered(invited, 201, PRIVATE)


@route("GET", "/v1/merchants/{merchant_id}/staff-invites")
async def staff_invites(request: AnyRequest) -> Answer:
    items = await list_invites(runtime_of(request).engine, merchant_of(request))
    return answered(StaffInvites(items=items), headers=PRIVATE)


@route("DELETE", "/v1/merchants/{merchant_id}/staff-invites/{invite_id}")
async def withdraw_staff_invite(request: AnyRequest) -> Answer:
    invite_id, merchant_id = path_id(request, "invite_id"), merchant_of(request)
    deed = deed_of(request, "staff.withdraw")
    async with runtime_of(request).engine.begin() as connection:
        await lock_for(request, connection, deed, merchant_id)
        role = await withdraw(connection, merchant_id, invite_id)
        await record(connection, deed, Thing(ThingKind.STAFF_INVITE, invite_id, merchant_id), {"role": role}, None)
    return NothingToSay()


@route("GET", "/v1/me/staff-invites")
async def my_staff_invites(request: AnyRequest) -> Answer:
    items = await list_my_invites(runtime_of(request).engine, caller_of(request).subject)
    return answered(MyStaffInvites(items=items), headers=PRIVATE)


@route("POST", "/v1/staff-invites/{invite_id}/accept")
async def accept_staff_invite(request: AnyRequest) -> Answer:
    invite_id, account_id = path_id(request, "invite_id"), caller_of(request).subject
    async with runtime_of(request).engine.begin() as connection:
        change = await accept(connection, invite_id, account_id)
        await _record(connection, deed_of(request, "staff.join"), change)
    return _employed(request, change)


async def _remove(request: AnyRequest, account_id: UUID) -> None:
    runtime, merchant_id = runtime_of(request), merchant_of(request)
    deed = deed_of(request, "staff.leave" if account_id == caller_of(request).subject else "staff.remove")
    async with runtime.engine.begin() as connection:
        await lock_for(request, connection, deed, merchant_id)
        change = await remove(connection, merchant_id, account_id)
        await _record(connection, deed, change)
    runtime.revocations.learn(change.revoked)


async def _record(connection: AsyncConnection, deed: Deed, change: StaffChange) -> None:
    """Note in the audit log what somebody is now, if they were not before."""
    if change.before is change.after:
        return
    thing = Thing(ThingKind.STAFF, change.account_id, change.merchant_id)
    before, after = (None if role is None else {"role": role} for role in (change.before, change.after))
    await record(connection, deed, thing, before, after)


def _employed(request: AnyRequest, change: StaffChange) -> Answer:
    assert change.after is not None, "who was removed is not shown"
    runtime_of(request).revocations.learn(change.revoked)
    view = EmployedView(merchant_id=change.merchant_id, account_id=change.account_id, role=change.after)
    return answered(view, headers=PRIVATE)


async def _send(request: AnyRequest, merchant: Merchant, made: StaffInvite) -> bool:
    """Tell who was invited; whether the message was handed over."""
    who = merchant.said["name"] if merchant.standing is Standing.APPROVED else UNNAMED
    days = (made.expires_at - made.created_at).days
    text = f"{who} asks you to join its staff at Tuan as {made.role}. Sign in within {days} days to accept."
    try:
        await runtime_of(request).messages.send(Message(made.recipient, text))
    except MessageNotSent:
        return False
    return True

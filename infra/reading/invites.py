"""Invites as whoever got the link sees them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Invite
from infra.reading.documents import list_document
from infra.reading.fetching import fetch_json
from infra.reading.group_listing import profile_of
from infra.reading.names import Profile, name_now, shown_name
from infra.tables import invites, participants


class InviteView(msgspec.Struct, frozen=True, kw_only=True):
    """A link into a group: who shared it where, through which other link he came, and how many joined through it."""

    code: str
    deal_id: UUID
    group_id: UUID
    sharer_name: str
    channel: str
    parent_code: str | None
    joins: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _InviteRow(Invite):
    display_name: str | None
    profile: Profile | None


class _Invites(msgspec.Struct, frozen=True):
    rows: list[_InviteRow] | None


_SHARERS_PLACE = and_(
    participants.c.deal_id == invites.c.deal_id,
    participants.c.shopper_id == invites.c.sharer_id,
    participants.c.group_id == invites.c.group_id,
)
_ONE_INVITE = list_document(
    select(*invites.c, participants.c.display_name, profile_of(invites.c.sharer_id))
    .outerjoin_from(invites, participants, _SHARERS_PLACE)
    .where(invites.c.code == bindparam("code"))
    .subquery("invite")
)


async def get_invite(engine: AsyncEngine, code: str) -> InviteView | None:
    """An invite by its code."""
    if not (code.isascii() and code.isprintable()):
        return None  # no code of ours, and PostgreSQL would choke on some of these
    document = await fetch_json(engine, _ONE_INVITE, {"code": code})
    rows = msgspec.json.decode(document, type=_Invites).rows
    return invite_view(rows[0], name_now(rows[0].profile, rows[0].display_name)) if rows else None


def invite_view(invite: Invite, display_name: str | None) -> InviteView:
    """An invite as anyone sees it; `display_name` is its sharer's, where they have one."""
    return InviteView(
        code=invite.code,
        deal_id=invite.deal_id,
        group_id=invite.group_id,
        sharer_name=shown_name(display_name, invite.sharer_id),
        channel=invite.channel,
        parent_code=invite.parent_code,
        joins=invite.joins,
        created_at=invite.created_at,
    )

"""Invites as whoever got the link sees them."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.groupbuy.group import Invite
from infra.reading.names import shown_name


class InviteView(msgspec.Struct, frozen=True, kw_only=True):
    """A link into a group: who shared it where, through which other link they came, and how many joined through it.

    `parent_code` is null where that other link is revoked.
    """

    code: str
    deal_id: UUID
    group_id: UUID
    sharer_name: str
    channel: str
    parent_code: str | None
    joins: int
    created_at: datetime


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

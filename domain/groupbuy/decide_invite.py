"""Decisions about links into groups: to give one, and to take one back."""

from datetime import datetime

from domain.errors import FieldProblems
from domain.groupbuy.commands import CreateInvite, RevokeInvite
from domain.groupbuy.decide_group import deal_and_group
from domain.groupbuy.errors import GroupClosed, InviteNotFound, TooManyLinks
from domain.groupbuy.events import Event, InviteCreated, InviteRevoked
from domain.groupbuy.state import State
from domain.groupbuy.text import check_channel

LINKS_MAX = 30
"""Links of one sharer into one group, revoked ones among them: one for each chat, and some to take back."""


def invite(state: State, command: CreateInvite, now: datetime) -> tuple[Event, ...]:
    """Give a sharer a link into an open group; the one he has for this channel already stands."""
    _, group = deal_and_group(state, command.group_id)
    if state.invite is not None:
        return ()
    if not group.is_open or now >= group.expires_at:
        raise GroupClosed
    problems = FieldProblems()
    check_channel(problems, "channel", command.channel)
    problems.raise_if_any()
    if state.links >= LINKS_MAX:
        raise TooManyLinks(LINKS_MAX)
    came = state.place or state.awaited
    created = InviteCreated(
        code=command.code,
        group_id=group.id,
        deal_id=group.deal_id,
        sharer_id=command.sharer_id,
        channel=command.channel,
        parent_code=came.invite_code if came else None,
        at=now,
    )
    return (created,)


def revoke_invite(state: State, command: RevokeInvite, now: datetime) -> tuple[Event, ...]:
    """Let a link lead nowhere any more, whatever became of its group; one that is revoked already is no refusal."""
    invite = state.invite
    if invite is None or (invite.group_id, invite.sharer_id) != (command.group_id, command.sharer_id):
        raise InviteNotFound
    if invite.is_revoked:
        return ()
    revoked = InviteRevoked(
        code=invite.code, group_id=invite.group_id, deal_id=invite.deal_id, sharer_id=invite.sharer_id, at=now
    )
    return (revoked,)

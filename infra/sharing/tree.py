"""Who brought whom into a group: its participants in the order of joining, each with whose link they came through."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.reading.cursors import Count, Position, decode
from infra.reading.fetching import fetch_json
from infra.reading.names import Profile, name_now, shown_name
from infra.reading.page import LIMIT_DEFAULT, LIMIT_MAX, Page, page_of


class CameBy(msgspec.Struct, frozen=True, kw_only=True):
    """Through whose link somebody came; `sharer_number` is null where the sharer is not in the group (any more)."""

    channel: str
    sharer_name: str
    sharer_number: int | None


class TreeNode(msgspec.Struct, frozen=True, kw_only=True):
    """A participant in the tree of a group, named as they chose to be.

    `number` orders the participants and stays theirs; `came_by` is null where no link brought them, or one of their own
    did before they said who they are. `brought`: how many others joined through links of theirs into this group.
    """

    number: int
    display_name: str
    avatar_url: str | None
    joined_at: datetime
    is_leader: bool
    came_by: CameBy | None
    brought: int


class InviteTreePosition(Position, frozen=True, tag="invite_tree"):
    """A place in the list of a tree's participants."""

    number: Count


class _ViaRow(msgspec.Struct, frozen=True):
    channel: str
    sharer_id: UUID
    display_name: str | None
    number: int | None
    profile: Profile | None


class _Row(msgspec.Struct, frozen=True):
    number: int
    shopper_id: UUID
    display_name: str | None
    joined_at: datetime
    is_leader: bool
    profile: Profile | None
    brought: int
    via: _ViaRow | None


_decode_rows = msgspec.json.Decoder(list[_Row]).decode


def _profile(account_id: str) -> str:
    """`[name, picture]` of an account, a merged guest's being the person's; null where there is none."""
    return f"""
      (SELECT json_build_array(display_name, avatar_url) FROM accounts
       WHERE id = (SELECT coalesce(merged_into, id) FROM accounts WHERE id = {account_id}))"""  # noqa: S608 - constants


def _person(account_id: str) -> str:
    """The id that whoever has this one is known by."""
    return f"coalesce((SELECT merged_into FROM accounts WHERE id = {account_id}), {account_id})"  # noqa: S608 - as above


def _ids(account_id: str) -> str:
    """Every id of whoever has this one: the one they are known by, and those of their time as a guest."""
    known = _person(account_id)
    return f"(SELECT {known} AS id UNION ALL SELECT id FROM accounts WHERE merged_into = {known})"  # noqa: S608 - as above


# Who is in under several ids has a node for each: a link is told at the one it was shared under, and where that has no
# place at the first of the others. `OFFSET 0`: by key, however many others share the group
TREE: Final = text(f"""
  WITH page AS MATERIALIZED (
    SELECT * FROM (
      SELECT * FROM participants WHERE group_id = CAST(:group_id AS uuid) AND number > :after_number
      ORDER BY number LIMIT {LIMIT_MAX + 1}) first LIMIT :rows_max)
  SELECT coalesce(json_agg(q ORDER BY number), '[]')::text FROM (
    SELECT page.number, page.shopper_id, page.display_name, page.joined_at,
      coalesce(page.shopper_id = g.leader_id, false) AS is_leader, {_profile("page.shopper_id")} AS profile,
      (WITH self AS MATERIALIZED (
          SELECT ids.id, place.number, min(place.number) OVER () AS first_number
          FROM {_ids("page.shopper_id")} ids LEFT JOIN LATERAL (
            SELECT number FROM participants
            WHERE deal_id = page.deal_id AND shopper_id = ids.id AND group_id = page.group_id OFFSET 0) place ON true)
        SELECT coalesce(sum(shared.joins - (
          SELECT count(*) FROM self own CROSS JOIN LATERAL (
            SELECT invite_code FROM participants
            WHERE deal_id = page.deal_id AND shopper_id = own.id OFFSET 0) came
          WHERE came.invite_code = shared.code)), 0)
        FROM self CROSS JOIN LATERAL (
          SELECT code, joins FROM invites
          WHERE group_id = page.group_id AND sharer_id = self.id AND joins > 0 OFFSET 0) shared
        WHERE coalesce(self.number, self.first_number) = page.number) AS brought,
      (SELECT to_json(v) FROM (
        SELECT i.channel, i.sharer_id, s.display_name, s.number, {_profile("i.sharer_id")} AS profile
        FROM invites i
        LEFT JOIN LATERAL (
          SELECT place.* FROM {_ids("i.sharer_id")} self CROSS JOIN LATERAL (
            SELECT * FROM participants
            WHERE deal_id = i.deal_id AND shopper_id = self.id AND group_id = page.group_id OFFSET 0) place
          ORDER BY place.shopper_id <> i.sharer_id, place.number LIMIT 1) s ON true
        WHERE i.code = page.invite_code AND {_person("i.sharer_id")} <> {_person("page.shopper_id")}) v) AS via
    FROM page JOIN groups g ON g.deal_id = page.deal_id AND g.id = page.group_id) q""")  # noqa: S608 - constants


async def list_invite_tree(
    engine: AsyncEngine, group_id: UUID, limit: int = LIMIT_DEFAULT, cursor: str | None = None
) -> Page[TreeNode]:
    """Who brought whom into a group, in the order of joining; whoever shows it judges who may see it."""
    after_number = decode(cursor, InviteTreePosition).number if cursor is not None else 0
    given = {"group_id": group_id, "after_number": after_number, "rows_max": limit + 1}
    rows = _decode_rows(await fetch_json(engine, TREE, given))
    return page_of(rows, limit, _node, lambda row: InviteTreePosition(row.number))


def _node(row: _Row) -> TreeNode:
    return TreeNode(
        number=row.number,
        display_name=shown_name(name_now(row.profile, row.display_name), row.shopper_id),
        avatar_url=row.profile[1] if row.profile else None,
        joined_at=row.joined_at,
        is_leader=row.is_leader,
        came_by=_came_by(row.via) if row.via else None,
        brought=row.brought,
    )


def _came_by(via: _ViaRow) -> CameBy:
    return CameBy(
        channel=via.channel,
        sharer_name=shown_name(name_now(via.profile, via.display_name), via.sharer_id),
        sharer_number=via.number,
    )

"""What came of somebody's links: who opened them, who joined, how far they were passed on, what everybody saved.

A link's tree is the link, those made by whoever came through it, those made by whoever came through them, and so on.
What one link costs to read is bounded: of a tree with more than `LINKS_MAX` links or `PLACES_MAX` places the nearest
are told, and that it is not the whole.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.group import Invite
from infra.reading.cursors import MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.page import LIMIT_DEFAULT, LIMIT_MAX, Page, page_of
from infra.reading.selves import SELVES
from infra.rows import terms_from
from infra.sharing.lines import INVITE_COLUMNS

LINKS_MAX: Final = 1_000
PLACES_MAX: Final = 10_000


class Saving(msgspec.Struct, frozen=True):
    """An amount in minor units of a currency."""

    currency: str
    amount: int


class InviteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A link of one's own and what came of it.

    `visits` are people, each counted once a day, whoever they are; `previews` how often chats and robots fetched it.
    `joins` are the others who came through this very link, `succeeded` those of them who have a place in a group that
    succeeded. `reached` are all who came through it or through links of those it brought, and so on; `depth` how many
    steps that went: 0 where nobody came, 1 where those who came brought nobody. `savings`, by currency: what all who
    were reached, in groups that succeeded, pay less than alone: (solo price - final price) x quantity. `is_whole` is
    false where there was too much to look at: then `depth`, `reached`, `succeeded` and `savings` may be more.
    """

    code: str
    url: str
    deal_id: UUID
    group_id: UUID
    channel: str
    created_at: datetime
    revoked_at: datetime | None
    visits: int
    previews: int
    joins: int
    succeeded: int
    depth: int
    reached: int
    savings: list[Saving]
    is_whole: bool


class MyInvitesPosition(Position, frozen=True, tag="my_invites"):
    """A place in the list of a shopper's links."""

    created_at_us: MomentUs
    code: str


class _Brought(NamedTuple):
    """Into a group that succeeded: how many came through the link itself, and the units of all in its tree."""

    directly: int
    units: int
    participants: int
    terms: msgspec.Raw


class _Row(msgspec.Struct, frozen=True):
    invite: Invite
    visits: int
    previews: int
    joins: int
    reached: int
    depth: int
    is_whole: bool
    brought: list[_Brought] | None


_decode_rows = msgspec.json.Decoder(list[_Row]).decode


async def list_my_invites(  # noqa: PLR0913 - each is a parameter of the route, but for who asks and where we are
    engine: AsyncEngine,
    shopper_id: UUID,
    origin: str,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
    *,
    has_merged: bool = False,
) -> Page[InviteFigures]:
    """Somebody's links, the newest first, and what came of them; `has_merged`: those under other ids too."""
    given: dict[str, object] = {"shopper_id": shopper_id, "rows_max": limit + 1}
    if cursor is not None:
        after = decode(cursor, MyInvitesPosition)
        given |= {"after_created_at": moment(after.created_at_us), "after_code": after.code}
    statement = invites_of_sharer(is_first=cursor is None, has_merged=has_merged)
    rows = _decode_rows(await fetch_json(engine, statement, given))
    return page_of(rows, limit, lambda row: _figures(row, origin), _position)


@cache
def invites_of_sharer(*, is_first: bool, has_merged: bool = False) -> TextClause:
    """Links of `shopper_id`; after `after_created_at`, `after_code`. With several ids all of them are looked at."""
    is_mine = f"IN {SELVES}" if has_merged else "= CAST(:shopper_id AS uuid)"
    after = "" if is_first else "AND (created_at, code) < (CAST(:after_created_at AS timestamptz), :after_code)"
    order = "created_at DESC, code DESC"
    return text(f"""
      WITH page AS MATERIALIZED (
        SELECT * FROM (
          SELECT {INVITE_COLUMNS} FROM invites WHERE sharer_id {is_mine} {after} ORDER BY {order} LIMIT {LIMIT_MAX + 1}
        ) newest LIMIT :rows_max)
      SELECT coalesce(json_agg(q ORDER BY {order}), '[]')::text
      FROM ({_figures_of(has_merged=has_merged)}) q""")  # noqa: S608 - constants


def _figures_of(*, has_merged: bool) -> str:
    """What came of the links in `page`; nobody is reached by themselves, also where they came as a guest of before."""
    is_another = f"NOT IN {SELVES}" if has_merged else "IS NOT NULL"
    own_joins = f"""
      (SELECT count(*) FROM {SELVES} self CROSS JOIN LATERAL (
         SELECT invite_code FROM participants
         WHERE deal_id = {{link}}.deal_id AND shopper_id = self.id OFFSET 0) came
       WHERE came.invite_code = {{link}}.code)"""  # noqa: S608 - constants
    joins = "{link}.joins" + f" - {own_joins}" * has_merged
    # `OFFSET 0`: each link, place and group by its key, however many others there are
    return f"""
  SELECT page.created_at, page.code, to_json(page) AS invite, seen.*, came.*
  FROM page
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(people), 0) AS visits, coalesce(sum(previews), 0) AS previews
    FROM visits WHERE code = page.code) seen
  CROSS JOIN LATERAL (
    WITH RECURSIVE walked AS (
      SELECT page.code AS code, {joins.format(link="page")} AS joins, 1 AS depth
      UNION ALL
      SELECT below.code, {joins.format(link="below")}, walked.depth + 1
      FROM walked CROSS JOIN LATERAL (
        SELECT * FROM invites WHERE parent_code = walked.code AND sharer_id {is_another} OFFSET 0) below
    ), tree AS MATERIALIZED (SELECT * FROM walked LIMIT {LINKS_MAX + 1}
    ), places AS MATERIALIZED (
      SELECT place.*, tree.depth
      FROM (SELECT * FROM tree WHERE joins > 0 LIMIT {LINKS_MAX}) tree
      CROSS JOIN LATERAL (
        SELECT * FROM participants WHERE invite_code = tree.code AND shopper_id {is_another} OFFSET 0) place
      LIMIT {PLACES_MAX + 1}
    ), by_group AS (
      SELECT deal_id, group_id, count(*) FILTER (WHERE depth = 1) AS directly, sum(quantity) AS units
      FROM places WHERE dropped_at IS NULL GROUP BY deal_id, group_id
    )
    SELECT (SELECT joins FROM tree WHERE depth = 1) AS joins,
      (SELECT sum(joins) FROM tree) AS reached,
      (SELECT coalesce(max(depth) FILTER (WHERE joins > 0), 0) FROM tree) AS depth,
      (SELECT count(*) FROM tree) <= {LINKS_MAX} AND (SELECT count(*) FROM places) <= {PLACES_MAX} AS is_whole,
      (SELECT json_agg(json_build_array(directly, units, g.participants, g.terms)) FROM by_group
        CROSS JOIN LATERAL (
          SELECT * FROM groups WHERE deal_id = by_group.deal_id AND id = by_group.group_id OFFSET 0) g
        WHERE g.status = 'succeeded') AS brought
  ) came"""  # noqa: S608 - constants


def _figures(row: _Row, origin: str) -> InviteFigures:
    invite, brought = row.invite, row.brought or ()
    return InviteFigures(
        code=invite.code,
        url=f"{origin}/i/{invite.code}",
        deal_id=invite.deal_id,
        group_id=invite.group_id,
        channel=invite.channel,
        created_at=invite.created_at,
        revoked_at=invite.revoked_at,
        visits=row.visits,
        previews=row.previews,
        joins=row.joins,
        succeeded=sum(group.directly for group in brought),
        depth=row.depth,
        reached=row.reached,
        savings=_savings(brought),
        is_whole=row.is_whole,
    )


def _savings(brought: Sequence[_Brought]) -> list[Saving]:
    amounts: defaultdict[str, int] = defaultdict(int)
    for group in brought:
        terms = terms_from(bytes(group.terms))
        saved_each = terms.schedule.solo_price - terms.schedule.unit_price(group.participants)
        amounts[terms.currency] += saved_each * group.units
    return [Saving(currency, amount) for currency, amount in sorted(amounts.items())]


def _position(row: _Row) -> MyInvitesPosition:
    return MyInvitesPosition(microseconds(row.invite.created_at), row.invite.code)

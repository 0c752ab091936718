"""What goes on at merchants who were suspended, page by page, until there is nothing left.

A page is empty as soon as the merchant is reinstated.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SURELY_KNOWN_AFTER_S = 30
"""By then every process has heard of a suspension, and what it let through before has come to its end."""

_SUSPENDED = text("SELECT id FROM merchants WHERE winding_down ORDER BY id LIMIT :merchants_max")
_PUBLISHED = text("""
  SELECT deals.id FROM merchants JOIN deals ON merchant_id = merchants.id
  WHERE merchants.id = :merchant_id AND winding_down
    AND lifecycle = 'published' AND (ends_at IS NULL OR ends_at > clock_timestamp()) AND deals.id > :after_id
  ORDER BY deals.id LIMIT :rows_max""")
_OPEN = text("""
  SELECT groups.deal_id, groups.id FROM merchants JOIN deals ON merchant_id = merchants.id
    JOIN groups ON groups.deal_id = deals.id
  WHERE merchants.id = :merchant_id AND winding_down
    AND groups.status = 'open' AND expires_at > clock_timestamp()
    AND (groups.deal_id, groups.id) > (CAST(:after_deal_id AS uuid), CAST(:after_id AS uuid))
  ORDER BY groups.deal_id, groups.id LIMIT :rows_max""")
_END = text("""
  UPDATE merchants SET winding_down = false
  WHERE id = :merchant_id AND winding_down
    AND decided_at < clock_timestamp() - make_interval(secs => :surely_known_after_s)
    AND NOT EXISTS (
      SELECT FROM deals WHERE merchant_id = merchants.id AND lifecycle = 'published'
        AND (ends_at IS NULL OR ends_at > clock_timestamp()))
    AND NOT EXISTS (
      SELECT FROM deals JOIN groups ON deal_id = deals.id
      WHERE merchant_id = merchants.id AND groups.status = 'open')""")


class OpenGroup(NamedTuple):
    """A group that runs on."""

    deal_id: UUID
    id: UUID


BEGINNING = OpenGroup(UUID(int=0), UUID(int=0))


async def suspended_merchants(connection: AsyncConnection, merchants_max: int) -> list[UUID]:
    """Who is being wound down."""
    return list((await connection.execute(_SUSPENDED, {"merchants_max": merchants_max})).scalars())


async def published_deals(
    connection: AsyncConnection, merchant_id: UUID, rows_max: int, after_id: UUID = BEGINNING.id
) -> Sequence[UUID]:
    """Deals of theirs that would let groups open."""
    asked = {"merchant_id": merchant_id, "rows_max": rows_max, "after_id": after_id}
    return (await connection.execute(_PUBLISHED, asked)).scalars().all()


async def open_groups(
    connection: AsyncConnection, merchant_id: UUID, rows_max: int, after: OpenGroup = BEGINNING
) -> list[OpenGroup]:
    """Groups of theirs whose fate is undecided; one whose deadline has come is the clock's to close."""
    asked = {"merchant_id": merchant_id, "rows_max": rows_max, "after_deal_id": after.deal_id, "after_id": after.id}
    return [OpenGroup(*row) for row in await connection.execute(_OPEN, asked)]


async def end_winding_down(connection: AsyncConnection, merchant_id: UUID) -> bool:
    """Note that nothing of theirs goes on any more; answers whether that is so.

    No deal can open a group once it was paused under its lock, so none comes up between the look and the note.
    """
    asked = {"merchant_id": merchant_id, "surely_known_after_s": SURELY_KNOWN_AFTER_S}
    return bool((await connection.execute(_END, asked)).rowcount)

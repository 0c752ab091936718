"""A guest who turns out to be somebody known: the two are one from now on, and nothing the guest bought is lost.

No row of a group, an order or an invite is touched. They keep the id the guest had, and that id is the person's too:
`merged_into` says whose. So nothing in flight, no payment, settlement or retry under the guest's id, goes astray
(docs/decisions/0019). What belongs to an account alone, addresses and devices, goes over as far as there is room.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.address_book import move_addresses
from infra.identity.devices import move_devices
from infra.identity.revocations import Revoked, revoke
from infra.identity.sessions import Ending, end_sessions

_HAS_MERGED = text("SELECT EXISTS (SELECT FROM accounts WHERE merged_into = :into)")
_MERGING = (
    text("UPDATE accounts SET status = 'merged', merged_into = :into, version = version + 1 WHERE id = :guest_id"),
    text("UPDATE accounts SET version = version + 1 WHERE id = :into"),
)


async def merge(connection: AsyncConnection, guest_id: UUID, into: UUID) -> Revoked:
    """Make a guest's account, which is locked, part of somebody's, which is too; the guest's sessions end.

    Access tokens say whether somebody has other ids, so those of before the first merging must be refreshed.
    """
    both = {"guest_id": guest_id, "into": into}
    had_merged = (await connection.execute(_HAS_MERGED, both)).scalar_one()
    for step in _MERGING:
        await connection.execute(step, both)
    await move_addresses(connection, guest_id, into)
    await move_devices(connection, guest_id, into)
    ended = (await end_sessions(connection, guest_id, Ending.MERGED)).revoked
    return ended if had_merged else {**ended, **await revoke(connection, [into])}

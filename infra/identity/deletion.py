"""Deleting an account: what it is still needed for is told first, what can be let go of is, then nobody is left.

What money needs stays under the bare id: payments, settlements, orders, refunds, the ledger, and places without a name.
Everything personal goes in one transaction with the account's end; copies in the tables of groups and payments follow,
deal by deal. Every step can be repeated, and `workers/erasing.py` does until nothing is left: after a crash, after a
join that was under way, and once the last parcel has arrived.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.groupbuy.commands import LapsePayment, LeaveGroup
from domain.groupbuy.errors import GroupClosed, GroupCommitted, GroupNotFound, OrderNotFound
from domain.groupbuy.payment import LapsedBecause
from infra.identity.administrators import leave_administration
from infra.identity.audit import Deed
from infra.identity.freshness import FRESH_S, FreshSignInNeeded
from infra.identity.leaving_work import has_others, leave_work, lock_employers
from infra.identity.needs import Need, Standing, read_standing, standing_of
from infra.identity.revocations import Revoked, revoke
from infra.identity.sessions import Ending, end_sessions
from infra.unavailable import Overloaded

ROUNDS_MAX: Final = 5
"""Somebody who joins again and again from another phone meanwhile is asked to try later."""
DEALS_AT_ONCE: Final = 50
ADDRESS_KEPT_FOR_DAYS: Final = 30
"""From the shipping on, where nobody says that the parcel has arrived."""
LATE_FOR_S: Final = 900
"""After so long what was let in before the end has been done. Its tokens, long-lived ones too, are refused for as long
as they live; one that an operator makes for a deleted account afterwards is theirs to answer for."""

_THERE: Final = {"guest", "full"}
_LOCK = text("SELECT id FROM accounts WHERE id = :id OR merged_into = :id ORDER BY id FOR NO KEY UPDATE")
_ERASE: Final = (
    text("""
      DELETE FROM sign_in_codes USING identities
      WHERE account_id = ANY(CAST(:ids AS uuid[])) AND channel = provider AND address = subject"""),
    text("DELETE FROM identities WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
    text("DELETE FROM addresses WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
    text("DELETE FROM devices WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
    text("UPDATE sessions SET device = NULL WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
    text("""
      DELETE FROM refresh_tokens USING sessions
      WHERE session_id = sessions.id AND account_id = ANY(CAST(:ids AS uuid[]))"""),
    text("""
      UPDATE accounts SET status = 'deleted', deleted_at = clock_timestamp(), display_name = NULL, avatar_url = NULL,
        locale = NULL, notifications = '{}', is_admin = false, version = version + 1
      WHERE id = ANY(CAST(:ids AS uuid[])) AND status <> 'deleted'"""),
)
_FORGET_ANSWERS = text("DELETE FROM idempotency_keys WHERE subject_id = ANY(CAST(:ids AS uuid[]))")
_FORGET_NOTICES = text("DELETE FROM notices WHERE account_id = ANY(CAST(:ids AS uuid[]))")

_NEEDS_NO_ADDRESS: Final = f"""
  (p.status IN ('lapsed', 'released') OR EXISTS (
    SELECT FROM orders o WHERE o.deal_id = p.deal_id AND o.id = p.order_id AND (
      o.status IN ('delivered', 'cancelled', 'returned')
      OR (o.status = 'shipped' AND o.shipped_at < clock_timestamp() - interval '{ADDRESS_KEPT_FOR_DAYS} days'))))"""
_DEALS_WITH_COPIES = text(f"""
  SELECT deal_id FROM participants WHERE shopper_id = ANY(CAST(:ids AS uuid[])) AND display_name IS NOT NULL
  UNION
  SELECT deal_id FROM payments p WHERE shopper_id = ANY(CAST(:ids AS uuid[]))
    AND (display_name IS NOT NULL OR (address IS NOT NULL AND {_NEEDS_NO_ADDRESS}))
  ORDER BY deal_id LIMIT {DEALS_AT_ONCE}""")  # noqa: S608 - constants
# In the order of ids, as every other lock of deals, so that nobody waits for us while we wait for him.
_LOCK_DEALS = text("SELECT FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE")
_ERASE_COPIES: Final = (
    text("""
      UPDATE participants SET display_name = NULL
      WHERE deal_id = ANY(CAST(:deal_ids AS uuid[])) AND shopper_id = ANY(CAST(:ids AS uuid[]))
        AND display_name IS NOT NULL"""),
    text(f"""
      UPDATE payments p SET display_name = NULL, address = CASE WHEN {_NEEDS_NO_ADDRESS} THEN NULL ELSE address END
      WHERE deal_id = ANY(CAST(:deal_ids AS uuid[])) AND shopper_id = ANY(CAST(:ids AS uuid[]))
        AND (display_name IS NOT NULL OR address IS NOT NULL)"""),  # noqa: S608 - a constant
)
_IS_ERASED = text("""
  UPDATE accounts SET erased_at = clock_timestamp()
  WHERE id = :id AND status = 'deleted' AND erased_at IS NULL
    AND deleted_at < clock_timestamp() - make_interval(secs => :late_for_s)
    AND NOT EXISTS (SELECT FROM payments WHERE shopper_id = ANY(CAST(:ids AS uuid[]))
      AND (address IS NOT NULL OR status = 'awaiting'))
    AND NOT EXISTS (SELECT FROM participants JOIN groups g ON g.deal_id = participants.deal_id AND g.id = group_id
      WHERE shopper_id = ANY(CAST(:ids AS uuid[])) AND g.status = 'open')""")

Tell = Callable[[LeaveGroup | LapsePayment], Awaitable[object]]


class AccountStillNeeded(Exception):  # noqa: N818 - refusals are named after what is the matter
    """There are things that cannot go on without the account."""

    def __init__(self, needs: Sequence[Need]) -> None:
        self.needs = needs
        super().__init__("Your account is still needed; `needed_for` says what for and what can be done about it.")


async def delete_account(
    engine: AsyncEngine, tell: Tell, account_id: UUID, session_id: UUID | None, leaving: Deed
) -> Revoked | None:
    """Delete an account, its places given up and awaited payments lapsed before; None where there is none.

    Deleted already is no harm; a guest who becomes somebody's at the same time is not deleted. Answers what is for
    `Revocations.learn`; `leaving` is what merchants they work for find in the audit log, where an administrator is said
    to have gone, too. Raises `FreshSignInNeeded`, or `AccountStillNeeded` before anything is given up, unless what it
    is needed for comes up meanwhile: what was given up by then stays so.
    """
    standing = await read_standing(engine, account_id, session_id, FRESH_S)
    if standing.status == "full" and not standing.is_fresh:  # a guest has no other way to prove anything
        raise FreshSignInNeeded
    for _ in range(ROUNDS_MAX):
        if standing.status not in _THERE:
            return {} if standing.status == "deleted" else None
        _check(standing)
        await _let_go(tell, standing)
        revoked = await _end(engine, account_id, leaving)
        if revoked is not None:
            await _erase_copies(engine, account_id)
            return revoked
        standing = await read_standing(engine, account_id, session_id, FRESH_S)
    raise Overloaded


async def erase_what_is_left(engine: AsyncEngine, tell: Tell, account_id: UUID) -> bool:
    """Whether nothing is left, and nothing can come any more, of an account that was deleted."""
    await _let_go(tell, await read_standing(engine, account_id, None, FRESH_S))
    await _erase_copies(engine, account_id)
    async with engine.begin() as connection:
        asked = {"id": account_id, "ids": await _ids(connection, account_id), "late_for_s": LATE_FOR_S}
        return bool((await connection.execute(_IS_ERASED, asked)).rowcount)


def _check(standing: Standing) -> None:
    if standing.needs:
        raise AccountStillNeeded(standing.needs)


async def _let_go(tell: Tell, standing: Standing) -> None:
    """Give up places and reservations; what has changed meanwhile, or is more, is seen when it is read again."""
    for payment in standing.awaited:
        with suppress(OrderNotFound):
            await tell(
                LapsePayment(
                    deal_id=payment.deal_id,
                    group_id=payment.group_id,
                    shopper_id=payment.shopper_id,
                    order_id=payment.order_id,
                    because=LapsedBecause.LEFT,
                )
            )
    for place in standing.places:
        with suppress(GroupClosed, GroupCommitted, GroupNotFound):
            await tell(LeaveGroup(group_id=place.group_id, shopper_id=place.shopper_id))


async def _end(engine: AsyncEngine, account_id: UUID, leaving: Deed) -> Revoked | None:
    """End the account with all that is its own; None where how it stands must be looked at again first.

    Something has come up that must be let go of, or another phone has ended it, or made a guest somebody's.
    """
    async with engine.begin() as connection:
        employers = await lock_employers(connection, account_id)
        ids = await _ids(connection, account_id)
        standing = await standing_of(connection, account_id, None, FRESH_S)
        if standing.status not in _THERE:
            return None
        _check(standing)
        if standing.places or standing.awaited or await has_others(connection, ids, employers):
            return None
        for one in ids:
            await end_sessions(connection, one, Ending.DELETED)
        keys = await leave_work(connection, ids, employers, leaving)
        await leave_administration(connection, ids, leaving.request_id)
        for statement in _ERASE:
            await connection.execute(statement, {"ids": ids})
        return {**keys, **await revoke(connection, ids, is_final=True)}


async def _erase_copies(engine: AsyncEngine, account_id: UUID) -> None:
    """Take the name out of places, and addresses nothing is sent to any more out of payments."""
    while True:
        async with engine.begin() as connection:
            own: dict[str, object] = {"ids": await _ids(connection, account_id)}
            await connection.execute(_FORGET_ANSWERS, own)
            await connection.execute(_FORGET_NOTICES, own)  # with what is still to be sent of them
            deal_ids = list((await connection.execute(_DEALS_WITH_COPIES, own)).scalars())
            if not deal_ids:
                return
            await connection.execute(_LOCK_DEALS, {"deal_ids": deal_ids})
            for statement in _ERASE_COPIES:
                await connection.execute(statement, own | {"deal_ids": deal_ids})


async def _ids(connection: AsyncConnection, account_id: UUID) -> list[UUID]:
    """The account's id, and those of guests who became part of it; their rows stay locked."""
    asked = {"id": account_id}
    await connection.execute(_LOCK, asked)  # waits for a merging under way, but sees no guest of it
    return list((await connection.execute(_LOCK, asked)).scalars())

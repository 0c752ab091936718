"""Erasing what is left of deleted accounts: after a crash, after a join that was under way, after the last parcel."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from infra.identity.deletion import erase_what_is_left
from workers.duty import Context, Duty

LOOK_EVERY_S = 10.0
ACCOUNTS_AT_ONCE = 50

_DELETED = text("""
  SELECT deleted_at, id FROM accounts WHERE status = 'deleted' AND erased_at IS NULL AND (deleted_at, id) > (:at, :id)
  ORDER BY deleted_at, id LIMIT :accounts_max""")
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class Erasing:
    """Goes through the deleted accounts again and again, a part at each look."""

    def __init__(self) -> None:
        self._after = _BEGINNING

    async def step(self, context: Context) -> float:
        """Erase what can be erased now of the next accounts."""
        at, id_ = self._after
        asked = {"at": at, "id": id_, "accounts_max": ACCOUNTS_AT_ONCE}
        async with context.by_key.connect() as connection:
            deleted = (await connection.execute(_DELETED, asked)).all()
        for one in deleted:
            self._after = (one.deleted_at, one.id)  # what fails of one must not hold up the others
            await erase_what_is_left(context.by_key, context.runtime.tell, one.id)
        if len(deleted) == ACCOUNTS_AT_ONCE:
            return 0
        self._after = _BEGINNING
        return LOOK_EVERY_S


ERASING = Duty("erasing", 11, Erasing().step)

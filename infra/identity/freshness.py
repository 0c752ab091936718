"""Whoever wants to do what can cost an account must have signed in lately: a stolen phone or token is not enough."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FRESH_S: Final = 600
"""How long ago the sign-in may be."""

IS_FRESH: Final = """
  EXISTS (SELECT FROM sessions
    WHERE id = CAST(:session_id AS uuid) AND account_id = :account_id AND ended_at IS NULL
      AND created_at > clock_timestamp() - make_interval(secs => :fresh_s))"""
_MAY = text(f"SELECT status <> 'full' OR {IS_FRESH} FROM accounts WHERE id = :account_id")  # noqa: S608 - a constant


class FreshSignInNeeded(Exception):  # noqa: N818 - refusals are named after what is the matter
    """Whoever asks signed in too long ago."""

    def __init__(self) -> None:
        super().__init__(
            f"Sign in again, and ask within {FRESH_S // 60} minutes with the tokens you get: this could cost you your "
            "account."
        )


async def require_fresh(connection: AsyncConnection, account_id: UUID, session_id: UUID | None) -> None:
    """Raises `FreshSignInNeeded`; not for guests, who have no other way to prove anything, nor where nobody is."""
    asked = {"account_id": account_id, "session_id": session_id, "fresh_s": FRESH_S}
    if (await connection.execute(_MAY, asked)).scalar_one_or_none() is False:
        raise FreshSignInNeeded

"""Whose a proof is: found by it, linked to it, unlinked from it."""

from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.accounts import Account, Proof, Provider, hold_account, open_account, read_account
from infra.identity.freshness import require_fresh
from infra.identity.merging import merge
from infra.identity.revocations import Revoked
from infra.identity.sessions import Ending, end_others

GUEST: Final = "guest"
FULL: Final = "full"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:provider || ' ' || :subject, 0))")
_FIND = text("SELECT account_id FROM identities WHERE provider = :provider AND subject = :subject")
_RENAME = text("UPDATE identities SET subject = :better WHERE provider = :provider AND subject = :subject")
_LINK = text("INSERT INTO identities (provider, subject, account_id) VALUES (:provider, :subject, :account_id)")
_UNLINK = text("DELETE FROM identities WHERE account_id = :account_id AND provider = :provider")
_OTHERS = text("SELECT count(*) FROM identities WHERE account_id = :account_id AND provider <> :provider")
_GROW = text("""
  UPDATE accounts SET status = 'full', display_name = coalesce(display_name, :display_name), version = version + 1
  WHERE id = :account_id""")


class IdentityTaken(Exception):  # noqa: N818 - refusals are named after what is the matter
    """The proof is somebody else's already."""

    def __init__(self) -> None:
        super().__init__(
            "This is how somebody signs in to another account. Sign in with it to use that account, or link another."
        )


class LastIdentity(Exception):  # noqa: N818 - as above
    """An account keeps a way to sign in to it."""

    def __init__(self) -> None:
        super().__init__("This is the only way you can sign in. Link another one first.")


class IdentityNotFound(Exception):  # noqa: N818 - as above
    """Nothing of this provider is linked."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"You do not sign in with {provider[:40]!r}. See GET /v1/me for how you do.")


class Found(NamedTuple):
    """The account that proofs lead to, whether it is new, and what finding it revoked."""

    account: Account
    is_new: bool
    revoked: Revoked = MappingProxyType({})


async def account_for(
    connection: AsyncConnection,
    proofs: tuple[Proof, ...],
    *,
    guest_id: UUID | None = None,
    display_name: str | None = None,
) -> Found:
    """The account that has one of the proofs, else the guest's, a full one from now on, else a new one.

    A guest for whom there is an account already becomes one with it. The account stays locked.
    """
    owner = await _find_owner(connection, proofs)
    if owner is not None:
        revoked: Revoked = {}
        if guest_id is not None and await hold_account(connection, guest_id) == GUEST:
            revoked = await merge(connection, guest_id, owner)
        return Found(await read_account(connection, owner), is_new=False, revoked=revoked)
    if guest_id is not None and await hold_account(connection, guest_id) == GUEST:
        account_id = guest_id
    else:
        account_id = await open_account(connection, FULL)
    await _give(connection, account_id, proofs[0], display_name)
    return Found(await read_account(connection, account_id), is_new=True)


async def link(
    connection: AsyncConnection, account_id: UUID, session_id: UUID | None, proofs: tuple[Proof, ...]
) -> Revoked | None:
    """Let somebody sign in with this too, in the place of what they have of the same provider; a guest is none after.

    Where something was replaced, their other sessions end: answers what is for `Revocations.learn`, None where there is
    no such account. Raises `IdentityTaken` or `FreshSignInNeeded`.
    """
    owner = await _find_owner(connection, proofs)
    if owner is not None and owner != account_id:
        raise IdentityTaken
    if await hold_account(connection, account_id) is None:
        return None
    await require_fresh(connection, account_id, session_id)
    if owner is not None:
        return {}
    named = {"account_id": account_id, "provider": proofs[0].provider}
    has_replaced = (await connection.execute(_UNLINK, named)).rowcount > 0
    await _give(connection, account_id, proofs[0], None)
    if not has_replaced:
        return {}
    return (await end_others(connection, account_id, Ending.IDENTITY_CHANGED, session_id)).revoked


async def unlink(connection: AsyncConnection, account_id: UUID, session_id: UUID | None, provider: Provider) -> Revoked:
    """Let nobody sign in with what is linked of a provider; other sessions of the account end.

    Answers what is for `Revocations.learn`. Raises `FreshSignInNeeded`, `IdentityNotFound` or `LastIdentity`.
    """
    named = {"account_id": account_id, "provider": provider}
    if await hold_account(connection, account_id) is None:
        raise IdentityNotFound(provider)
    await require_fresh(connection, account_id, session_id)
    if not (await connection.execute(_UNLINK, named)).rowcount:
        raise IdentityNotFound(provider)
    if not (await connection.execute(_OTHERS, named)).scalar_one():
        raise LastIdentity
    await connection.execute(_GROW, {"account_id": account_id, "display_name": None})
    return (await end_others(connection, account_id, Ending.IDENTITY_CHANGED, session_id)).revoked


async def _find_owner(connection: AsyncConnection, proofs: tuple[Proof, ...]) -> UUID | None:
    """Whose the first of these proofs is that is anybody's; the account is locked then, as are the proofs.

    Accounts are locked before what belongs to them is changed, so whose it is is asked again under the lock.
    """
    for proof in sorted(proofs):
        await connection.execute(_LOCK, proof._asdict())
    for proof in proofs:
        owner: UUID | None = (await connection.execute(_FIND, proof._asdict())).scalar_one_or_none()
        if owner is None or await hold_account(connection, owner) is None:
            continue
        if owner != (await connection.execute(_FIND, proof._asdict())).scalar_one_or_none():
            continue
        if proof != proofs[0]:
            await connection.execute(_RENAME, proof._asdict() | {"better": proofs[0].subject})
        return owner
    return None


async def _give(connection: AsyncConnection, account_id: UUID, proof: Proof, display_name: str | None) -> None:
    """Let a proof that is nobody's be that of an account, which is locked and a full one from now on."""
    await connection.execute(_GROW, {"account_id": account_id, "display_name": display_name})
    await connection.execute(_LINK, proof._asdict() | {"account_id": account_id})

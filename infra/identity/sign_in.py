"""Signing in: a proof becomes an account, a session and the tokens for it, in one transaction."""

import math
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.code import LIFETIME_S
from domain.identity.permissions import Role
from infra.identity.accounts import Account, Proof, Provider, open_account, read_account
from infra.identity.codes import Codes, Recipient
from infra.identity.employments import employments_of
from infra.identity.evidence import Evidence
from infra.identity.linking import GUEST, account_for
from infra.identity.revocations import Revoked
from infra.identity.sessions import Ended, Session, open_session, refresh
from infra.key_ring import KeyRing
from infra.messages.port import Message, MessageGateway
from infra.settings import Settings
from infra.token_keys import ACCESS_LIFETIME_S
from infra.tokens import TokenIssuer


class Arriving(NamedTuple):
    """What comes with a proof: the account of a token sent along, a name for the session, and one to show."""

    guest_id: UUID | None = None
    device: str | None = None
    display_name: str | None = None


class Tokens(NamedTuple):
    """What a phone keeps of a sign-in, and what that revoked."""

    access_token: str
    refresh_token: str
    account: Account
    session_id: UUID
    is_new: bool
    revoked: Revoked = MappingProxyType({})


class _UsedUpError(Exception):
    """What was shown has been used up: all that was done for it must be undone."""


class SignIn:
    """The ways in."""

    def __init__(self, settings: Settings, engine: AsyncEngine, messages: MessageGateway, keys: KeyRing) -> None:
        self._settings = settings
        self._engine = engine
        self._messages = messages
        self._keys = keys
        self._codes = Codes(settings, engine)
        self._signing: TokenIssuer | None = None

    async def send_code(self, recipient: Recipient) -> timedelta:
        """Send a code, whether or not anybody is known there; answers how long it is good for.

        Raises `MessageNotSent`, and `InvalidInput` where nothing carries messages there.
        """
        code = await self._codes.make(recipient)
        text = f"{code} is your Tuan code. It is good for {LIFETIME_S // 60} minutes. Give it to nobody."
        await self._messages.send(Message(recipient, text, subject="Your Tuan code", code=code))
        return timedelta(seconds=LIFETIME_S)

    async def by_code(self, recipient: Recipient, guess: str) -> Evidence | None:
        """What a code proves that was sent; None where the guess is wrong, or too late, or one too many."""
        right = await self._codes.judge(recipient, guess)
        if right is None:
            return None

        async def use(connection: AsyncConnection) -> bool:
            return await self._codes.use(connection, right)

        return Evidence((Proof(Provider(recipient.channel), recipient.address),), use)

    async def sign_in(self, evidence: Evidence, arriving: Arriving) -> Tokens | None:
        """Sign in whoever the evidence is of; None where it was used up before, and nothing is different then."""
        try:
            return await self._sign_in(evidence, arriving)
        except _UsedUpError:
            return None

    async def _sign_in(self, evidence: Evidence, arriving: Arriving) -> Tokens:
        async with self._engine.begin() as connection:
            found = await account_for(
                connection, evidence.proofs, guest_id=arriving.guest_id, display_name=arriving.display_name
            )
            if not await evidence.use(connection):
                raise _UsedUpError
            session = await open_session(connection, found.account, arriving.device)
            session = session._replace(now=_after(session.now, found.revoked.get(found.account.id, 0.0)))
            tokens = await self._tokens(connection, session, is_new=found.is_new)
        return tokens._replace(revoked={**found.revoked, **session.revoked})

    async def as_guest(self, device: str | None) -> Tokens:
        """A device that signs in as nobody in particular."""
        async with self._engine.begin() as connection:
            account = await read_account(connection, await open_account(connection, GUEST))
            session = await open_session(connection, account, device)
            return await self._tokens(connection, session, is_new=True)

    async def refresh(self, token: str, *, is_browsers: bool = False) -> Tokens | Ended:
        """New tokens for a refresh token, of an app or a browser's cookie; where it is of no use, what that ended."""
        async with self._engine.begin() as connection:
            session = await refresh(connection, token, is_browsers=is_browsers)
            return session if isinstance(session, Ended) else await self._tokens(connection, session, is_new=False)

    async def _tokens(self, connection: AsyncConnection, session: Session, *, is_new: bool) -> Tokens:
        account = session.account
        employments = await employments_of(connection, account.id)
        roles = {Role.SHOPPER}
        roles |= {Role.GUEST} if account.is_guest else set()
        roles |= {Role.MERCHANT} if employments else set()
        roles |= {Role.ADMIN} if account.is_admin else set()
        access_token = self._issuer.issue(
            account.id,
            frozenset(roles),
            ACCESS_LIFETIME_S,
            account.display_name,
            session.now.timestamp(),
            session_id=session.id,
            merchants=employments,
            has_merged=account.has_merged,
        )
        return Tokens(access_token, session.refresh_token, account, session.id, is_new)

    @property
    def _issuer(self) -> TokenIssuer:
        if self._signing is None:
            self._signing = TokenIssuer(self._settings, self._keys)
        return self._signing


def _after(now: datetime, revoked_before: float) -> datetime:
    """A moment whose token is not among those just revoked: of an issuing moment less than a millisecond is lost."""
    return max(now, datetime.fromtimestamp(math.ceil(revoked_before * 1000) / 1000, UTC))

"""Signing in: a proof becomes an account, a session and the tokens for it, in one transaction."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.code import LIFETIME_S
from domain.identity.permissions import Role
from infra.identity.accounts import Account, Proof, Provider, account_for, find_account, open_guest
from infra.identity.codes import Codes, Recipient
from infra.identity.employments import employments_of
from infra.identity.sessions import Session, open_session, refresh
from infra.messages.port import Message, MessageGateway
from infra.settings import Settings
from infra.tokens import TokenIssuer

ACCESS_LIFETIME_S = 600


class Tokens(NamedTuple):
    """What a phone keeps of a sign-in."""

    access_token: str
    refresh_token: str
    account: Account
    session_id: UUID
    is_new: bool


class SignIn:
    """The ways in."""

    def __init__(self, settings: Settings, engine: AsyncEngine, messages: MessageGateway) -> None:
        self._settings = settings
        self._engine = engine
        self._messages = messages
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

    async def by_code(
        self, recipient: Recipient, guess: str, *, guest_id: UUID | None, device: str | None, display_name: str | None
    ) -> Tokens | None:
        """Sign in with the code that was sent; None where the guess is wrong, or too late, or one too many."""
        right = await self._codes.judge(recipient, guess)
        if right is None:
            return None
        async with self._engine.begin() as connection:
            if not await self._codes.use(connection, right):
                return None
            proof = Proof(Provider(recipient.channel), recipient.address)
            guest = None if guest_id is None else await find_account(connection, guest_id)
            account, is_new = await account_for(connection, proof, guest=guest, display_name=display_name)
            session = await open_session(connection, account, device)
            return await self._tokens(connection, session, is_new=is_new)

    async def as_guest(self, device: str | None) -> Tokens:
        """A device that signs in as nobody in particular."""
        async with self._engine.begin() as connection:
            session = await open_session(connection, await open_guest(connection), device)
            return await self._tokens(connection, session, is_new=True)

    async def refresh(self, token: str) -> Tokens | None:
        """New tokens for a refresh token; None where it is of no use."""
        async with self._engine.begin() as connection:
            session = await refresh(connection, token)
            return None if session is None else await self._tokens(connection, session, is_new=False)

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
        )
        return Tokens(access_token, session.refresh_token, account, session.id, is_new)

    @property
    def _issuer(self) -> TokenIssuer:
        if self._signing is None:
            self._signing = TokenIssuer(self._settings)
        return self._signing

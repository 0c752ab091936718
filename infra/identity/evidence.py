"""What somebody shows to prove who they are: judged before a transaction, used up within the one it leads to."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.accounts import Proof, Provider
from infra.identity.fetching import ProviderClient
from infra.identity.id_tokens import IdTokens
from infra.identity.wechat import WeChat
from infra.settings import Settings

_SPEND: Final = text("""
  INSERT INTO spent_id_tokens (fingerprint, expires_at) VALUES (:fingerprint, :expires_at)
  ON CONFLICT (fingerprint) DO NOTHING""")


class Evidence(NamedTuple):
    """Good evidence of a subject, named in one way or several, the best first.

    `use` answers whether this transaction is the one that uses it up; only one can.
    """

    proofs: tuple[Proof, ...]
    use: Callable[[AsyncConnection], Awaitable[bool]]


class Vouching:
    """Providers other than ourselves, who vouch for people."""

    def __init__(self, settings: Settings) -> None:
        self._client = ProviderClient()
        self._id_tokens = IdTokens(settings, self._client)
        self._wechat = WeChat(settings, self._client)

    async def by_id_token(self, provider: Provider, token: str, nonce: str) -> Evidence:
        """Raises what `IdTokens.judge` raises."""
        proven = await self._id_tokens.judge(provider, token, nonce)
        spending = {"fingerprint": proven.fingerprint, "expires_at": proven.expires_at}

        async def spend(connection: AsyncConnection) -> bool:
            return (await connection.execute(_SPEND, spending)).rowcount == 1

        return Evidence((proven.proof,), spend)

    async def by_wechat(self, code: str) -> Evidence:
        """Raises what `WeChat.exchange` raises; WeChat itself takes each code once."""
        return Evidence(await self._wechat.exchange(code), _is_used_already)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()


async def _is_used_already(_: AsyncConnection) -> bool:
    return True

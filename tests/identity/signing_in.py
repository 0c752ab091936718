"""People who sign in with a provider's word, against an API that trusts the tests' own provider."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from infra.runtime import Runtime
from tests.api.people import Person, Town
from tests.identity.openid_provider import NONCE, OpenIdProvider


@dataclass
class Doors:
    """An API that trusts a provider, and the people at its doors."""

    town: Town
    provider: OpenIdProvider
    runtime: Runtime

    async def knock(
        self, token: str, who: Person | None = None, *, provider: str = "google", nonce: str = NONCE, **more: object
    ) -> httpx.Response:
        """Sign in with an id_token."""
        body = {"provider": provider, "id_token": token, "nonce": nonce, **more}
        return await (who or self.town.nobody).post("/v1/sign-in/id-token", body)

    async def enter(self, subject: str, who: Person | None = None) -> tuple[Person, dict[str, Any]]:
        """Somebody of the provider's, signed in, and what they were told."""
        return self.let_in(await self.knock(self.provider.token(sub=subject), who))

    async def enter_by_wechat(
        self, code: str, told: dict[str, Any], who: Person | None = None
    ) -> tuple[Person, dict[str, Any]]:
        """Somebody of WeChat's, for whose code it says this."""
        self.provider.wechat = {code: told}
        return self.let_in(await (who or self.town.nobody).post("/v1/sign-in/wechat", {"code": code}))

    async def guest(self) -> tuple[Person, dict[str, Any]]:
        """A device whose owner nobody knows."""
        return self.let_in(await self.town.nobody.post("/v1/sign-in/guest"))

    def let_in(self, answer: httpx.Response) -> tuple[Person, dict[str, Any]]:
        """Whoever was just signed in."""
        assert answer.status_code in {200, 201}, answer.text
        told: dict[str, Any] = answer.json()
        return Person(self.town.client, UUID(told["account_id"]), told["access_token"]), told

"""Who people are, asked over HTTP as any app does."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import app, client, connected, runtime, shop, town
from tests.api.people import Town
from tests.identity.administering import promoted
from tests.identity.houses import House, approved
from tests.identity.members import Member, signed_in
from tests.identity.openid_provider import CLIENT_ID, OpenIdProvider, openid_provider
from tests.identity.signing_in import Doors
from workers.duty import Context

__all__ = ["app", "client", "runtime", "shop", "town"]


@pytest.fixture
async def house(app: Litestar, town: Town) -> House:
    """A merchant who may sell."""
    return await approved(app, town)


@pytest.fixture
async def admin(town: Town, engine: AsyncEngine) -> Member:
    """Somebody who was made an administrator and has refreshed since."""
    return await promoted(engine, await signed_in(town))


@pytest.fixture
def context(runtime: Runtime, engine: AsyncEngine) -> Context:
    """What a duty beside the app works with."""
    return Context(runtime, engine)


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    """An OpenID provider, and WeChat, that listen."""
    async with openid_provider() as listening:
        yield listening


@pytest.fixture
def trusting(settings: Settings, provider: OpenIdProvider, tmp_path: Path) -> Settings:
    """Settings of an API that trusts them."""
    secret = tmp_path / "wechat.secret"
    secret.write_text("the-secret-of-our-app\n")
    return dataclasses.replace(
        settings,
        apple_client_ids=(CLIENT_ID,),
        google_client_ids=("com.example.web", CLIENT_ID),
        facebook_app_ids=(CLIENT_ID,),
        openid_base=provider.base,
        wechat_app_id="wx0123456789abcdef",
        wechat_secret_file=secret,
        wechat_api_base=provider.base,
    )


@pytest.fixture
async def doors(trusting: Settings, provider: OpenIdProvider) -> AsyncIterator[Doors]:
    """An API that trusts the provider."""
    app = create_app(trusting)
    async with connected(app) as client:
        yield Doors(Town(client, trusting), provider, app.state.runtime)


@pytest.fixture
def closed_doors(town: Town, provider: OpenIdProvider, app: Litestar) -> Doors:
    """An API that trusts nobody but itself."""
    return Doors(town, provider, app.state.runtime)

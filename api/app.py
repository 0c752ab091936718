"""The API as an ASGI app: routes, who may call them, and how errors look; the runtime comes and goes with it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from api import deals, documents, groups, invites, participants, price_schedules, probes
from api.access import authorise
from api.bodies import BODY_BYTES_MAX
from api.errors import answer_error
from infra.runtime import started
from infra.settings import Settings, read_settings

HANDLERS: Final[Sequence[HTTPRouteHandler]] = [
    handler
    for module in (deals, price_schedules, groups, participants, invites, probes, documents)
    for handler in vars(module).values()
    if isinstance(handler, HTTPRouteHandler)
]


def create_app(settings: Settings | None = None, *, extra_handlers: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The app; settings are read from the environment where none are given."""
    chosen = read_settings() if settings is None else settings

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with started(chosen) as runtime:
            app.state.runtime = runtime
            yield

    return Litestar(
        [*HANDLERS, *extra_handlers],
        before_request=authorise,
        exception_handlers={Exception: cast("Any", answer_error)},  # our Answer stands in for their Response
        lifespan=[running],
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )

"""The API as an ASGI app: routes, who may call them, and how errors look; the runtime comes and goes with it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, cast

from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from api import (
    account_deletion,
    addresses,
    admin,
    api_keys,
    buying_alone,
    deals,
    devices,
    documents,
    explain,
    export,
    groups,
    invite_figures,
    invites,
    keys,
    live,
    merchant_audit,
    merchants,
    notices,
    orders,
    participants,
    payments,
    price_schedules,
    probes,
    profile,
    sandbox,
    sessions,
    share_kit,
    shipments,
    sign_in,
    social,
    staff,
    statements,
)
from api.access import authorise
from api.bodies import BODY_BYTES_MAX
from api.errors import answer_error
from api.limiting import admit
from api.pages import association, front, group_page, joining, oembed, pictures, static, unsubscribing
from api.pages.state import open_pages
from api.response_headers import ResponseHeaders
from api.routing import telling_methods
from api.stopping import told_of_stop
from infra.runtime import Runtime, started
from infra.settings import Settings, read_settings

MODULES: Final = (
    admin,
    merchant_audit,
    deals,
    price_schedules,
    groups,
    participants,
    orders,
    shipments,
    explain,
    statements,
    buying_alone,
    payments,
    sandbox,
    sign_in,
    social,
    sessions,
    merchants,
    staff,
    api_keys,
    profile,
    addresses,
    devices,
    notices,
    export,
    account_deletion,
    live,
    invites,
    invite_figures,
    share_kit,
    front,
    group_page,
    joining,
    association,
    oembed,
    unsubscribing,
    pictures,
    static,
    keys,
    probes,
    documents,
)
HANDLERS: Final[Sequence[HTTPRouteHandler]] = [
    handler for module in MODULES for handler in vars(module).values() if isinstance(handler, HTTPRouteHandler)
]

Duties = Callable[[Runtime], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings | None = None,
    *,
    duties: Duties | None = None,
    extra_handlers: Sequence[HTTPRouteHandler] = (),
) -> Litestar:
    """The app; settings are read from the environment where none are given.

    `duties` run beside it as long as it does: what a worker would do, while there is none.
    """
    chosen = read_settings() if settings is None else settings

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.runtime = runtime = await stack.enter_async_context(started(app.state.settings))
            open_pages(app.state, runtime)
            stack.enter_context(told_of_stop(runtime.hub.end_all))
            if duties is not None:
                await stack.enter_async_context(duties(runtime))
            yield

    handlers = [*HANDLERS, *extra_handlers]
    return Litestar(
        [*telling_methods(handlers), *handlers],
        before_request=admit if chosen.rate_limits else authorise,
        before_send=[ResponseHeaders(chosen).add],
        exception_handlers={Exception: cast("Any", answer_error)},  # our Answer stands in for their Response
        lifespan=[running],
        state=State({"settings": chosen}),
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )

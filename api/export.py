"""All that is kept about the caller, as one JSON document."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import structlog
from litestar.types import ASGIApp, Receive, Scope, Send

from api.access import caller_of
from api.answers import JSON
from api.refused import AccountNotFound
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.reading.export import export_of
from infra.reading.sessions import get_account
from infra.unavailable import Unavailable

SEND_WAIT_S: Final = 30.0
"""Whoever takes nothing for so long is cut off."""

_HEADERS: Final = [
    (b"content-type", JSON),
    (b"cache-control", b"no-store"),
    (b"content-disposition", b'attachment; filename="tuan-export.json"'),
]

_log = structlog.get_logger(__name__)

_Rows = list[dict[str, Any]]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as they are kept; ids lead from one list to the other, amounts are minor units of `currency`."""

    accounts: _Rows
    identities: _Rows
    sessions: _Rows
    addresses: _Rows
    devices: _Rows
    staff: _Rows
    merchants: _Rows
    staff_invites: _Rows
    places: _Rows
    payments: _Rows
    settlements: _Rows
    orders: _Rows
    refunds: _Rows
    invites: _Rows
    notices: _Rows
    deliveries: _Rows


@route("GET", "/v1/me/export")
async def export_me(request: AnyRequest) -> ASGIApp:
    engine, account_id = runtime_of(request).engine, caller_of(request).subject
    if await get_account(engine, account_id) is None:
        raise AccountNotFound
    return ExportStream(export_of(engine, account_id))


class ExportStream:
    """A document that is read while it is sent, in pieces, so that its length is nobody's burden."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - part of ASGI
        """Send it; a reader as good as gone ends it, and so does a database that goes away in the middle."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        try:
            if scope.get("method") != "HEAD":
                await self._send_all(send)
        except (Unavailable, TimeoutError) as error:
            _log.warning("export_broke_off", why=type(error).__name__)
            return  # it must not look whole: without a last message the server cuts the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async for piece in self._pieces:
            async with asyncio.timeout(SEND_WAIT_S):
                await send({"type": "http.response.body", "body": piece, "more_body": True})

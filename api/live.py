"""The live view of a group as server-sent events (WHATWG HTML, 9.2).

    retry: 2000          how long a client waits before it reconnects, in ms
    id: 7                the group's version
    event: group
    data: {...}          the group, as `GET /v1/groups/{id}` shows it to anyone

The present state comes at once, then the newest one after each change: a slow reader misses what is old already, and
one that takes nothing for half a minute is cut off. A comment comes after 10 to 15 quiet seconds. When the group is
closed a last `event: closed` with the same data follows and the stream ends. `EventSource` then connects again by
itself, with `Last-Event-ID`: a client that has had the final state is answered 204, which ends it for good.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

from api.answers import NothingToSay
from api.requests import AnyRequest, header, path_id, runtime_of
from api.routing import route
from domain.groupbuy.errors import GroupNotFound
from infra.live import Hub, Seen, Watcher
from infra.views import GroupView

RETRY_MS = 2_000
FRAMES_REMEMBERED_MAX = 1_024

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_BEGINNING: Final = b"retry: %d\n\n" % RETRY_MS
_COMMENT: Final = b": still here\n\n"


@route("GET", "/v1/groups/{group_id}/live")
async def watch_group(request: AnyRequest) -> ASGIApp:
    group_id = path_id(request, "group_id")
    runtime = runtime_of(request)
    view = await runtime.groups.get(group_id)
    if view is None:
        raise GroupNotFound(group_id)
    if view.is_closed and _last_event(request) == view.version:
        return NothingToSay()
    return LiveStream(runtime.hub, view, _frame)


class LiveStream:
    """A stream ready to be sent: an ASGI app, so that nothing stands between a change and its readers.

    `frame` is how a state is told; one that has to be waited for is made once for all who watch.
    """

    def __init__(self, hub: Hub, view: GroupView, frame: Callable[[Seen], bytes | Awaitable[bytes]]) -> None:
        self._hub = hub
        self._view = view
        self._frame = frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the group is closed, the reader is gone or the server stops."""
        watcher = self._hub.watch(self._view)
        gone = asyncio.create_task(_until_gone(receive, watcher.end))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if scope.get("method") != "HEAD":
                await self._tell(send, watcher)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not watcher.has_ended:
                raise
            # Cut off for taking nothing, so it cannot be told of an end either.
        finally:
            gone.cancel()
            self._hub.leave(watcher)

    async def _tell(self, send: Send, watcher: Watcher) -> None:
        """Send each newest state, and comments in between, so that proxies and readers see the stream is alive."""
        await _send(send, _BEGINNING)
        while not watcher.has_ended:
            seen = await watcher.next()
            if seen is not None:
                frame = self._frame(seen)
                await _send(send, frame if isinstance(frame, bytes) else await frame)
                if seen.is_closed:
                    return
            elif not watcher.has_ended:
                await _send(send, _COMMENT)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


@lru_cache(FRAMES_REMEMBERED_MAX)
def _frame(seen: Seen) -> bytes:
    """A state as its event; made once for all who watch."""
    state = b"id: %d\nevent: group\ndata: %b\n\n" % (seen.version, seen.document)
    return state + b"id: %d\nevent: closed\ndata: %b\n\n" % (seen.version, seen.document) if seen.is_closed else state


async def _until_gone(receive: Receive, then: Callable[[], None]) -> None:
    """Wait for the reader to hang up."""
    while (await receive())["type"] != "http.disconnect":
        continue
    then()


def _last_event(request: AnyRequest) -> int | None:
    """The version of the last state this reader had before it reconnected."""
    text = header(request, b"last-event-id") or b""
    return int(text) if text.isdigit() and len(text) < 10 else None

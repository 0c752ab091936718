"""Images from addresses that merchants wrote: fetched from public hosts only, bounded in size, time, number and turns.

A host is looked up once, its addresses are judged, and the very address that was judged is connected to: a name that
leads elsewhere a moment later changes nothing. Nothing that is sent back gets further than the process that draws.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import httpx

from infra.cards.fetching_turns import FetchingTurns, NoTurn
from infra.cards.image_formats import BEGINNINGS
from infra.cards.lookups import Lookups, NoThreadLeft
from infra.cards.reachable import Reachable, is_public

IMAGE_BYTES_MAX: Final = 5 * 1024 * 1024
FETCH_TIMEOUT_S: Final = 3.0
"""From its turn on for all of it: looking up, every redirect, the last byte."""
TURN_PART: Final = 0.25
"""The part of that time which a fetch has a turn for: so there are at most four times as many fetches as turns."""
WAIT_S: Final = 10.0
"""For a turn; a card waits less, but the next one has the image."""
CONNECT_TIMEOUT_S: Final = 0.6
"""For connecting where another address is left to be tried: many networks promise IPv6 and drop it."""
REDIRECTS_MAX: Final = 3
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""The numeric addresses of a host; raises OSError."""


class NotFetched(Exception):  # noqa: N818 - named after what happened
    """There is no image to be had there, and why."""


class OthersInTheWay(NotFetched):
    """It was not tried."""


class ImageFetcher:
    """GETs images; `may_reach` is asked about every address before it is connected to."""

    def __init__(
        self, *, may_reach: Reachable = is_public, resolver: Resolver | None = None, timeout_s: float = FETCH_TIMEOUT_S
    ) -> None:
        self._may_reach = may_reach
        self._lookups = Lookups()
        self._resolve = resolver or self._lookups.resolve
        self._timeout_s = timeout_s
        self._turns = FetchingTurns(timeout_s * TURN_PART)
        self._opening = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str) -> bytes:
        """What begins like an image and is none too large; raises `NotFetched`."""
        has_turn = False
        try:
            async with asyncio.timeout(WAIT_S) as limit, self._turns.taken(httpx.URL(url).host):
                has_turn = True
                limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                return await self._followed(await self._opened(), url)
        except (NoTurn, NoThreadLeft) as reason:
            raise OthersInTheWay(type(reason).__name__) from None
        except TimeoutError:
            raise (NotFetched("too slow") if has_turn else OthersInTheWay("no turn")) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotFetched(type(error).__name__) from None

    async def close(self) -> None:
        """Give connections back."""
        await self._lookups.stop()
        if self._client is not None:
            await self._client.aclose()

    async def _followed(self, client: httpx.AsyncClient, url: str) -> bytes:
        address = httpx.URL(url)
        for _ in range(REDIRECTS_MAX + 1):
            async with contextlib.aclosing(await self._answered(client, address)) as answer:
                if not answer.is_redirect:
                    return await _image_of(answer)
                address = address.join(answer.headers.get("location", ""))
        raise NotFetched("too many redirects")

    async def _answered(self, client: httpx.AsyncClient, address: httpx.URL) -> httpx.Response:
        """What the host answers; where one of its addresses cannot be connected to, at the next one."""
        *others, last = await self._resolved(address)
        for numeric in others:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await client.send(_request(address, numeric, CONNECT_TIMEOUT_S), stream=True)
        return await client.send(_request(address, last, self._timeout_s), stream=True)

    async def _resolved(self, address: httpx.URL) -> list[str]:
        """The numeric addresses to try, at least one: the first of each family, in the system's order."""
        port = address.port or _DEFAULT_PORTS.get(address.scheme)
        if port is None or not address.host or address.userinfo:
            raise NotFetched("no web address")
        resolved = await self._resolve(address.host, port)
        if not resolved or not all(self._may_reach(one, port) for one in resolved):
            raise NotFetched("not a public address")
        first_of_each = {":" in one: one for one in reversed(resolved)}
        return sorted(first_of_each.values(), key=resolved.index)

    async def _opened(self) -> httpx.AsyncClient:
        """Certificates are read by a thread: that takes tens of milliseconds."""
        async with self._opening:
            if self._client is None:
                logging.getLogger("httpx").setLevel(
                    logging.WARNING
                )  # it tells addresses, which are merchants' business
                self._client = httpx.AsyncClient(
                    verify=await asyncio.to_thread(ssl.create_default_context),
                    follow_redirects=False,
                    trust_env=False,  # a proxy would look names up anew
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),  # turns are the limit
                )
            return self._client


def _request(address: httpx.URL, numeric: str, connect_timeout_s: float) -> httpx.Request:
    """A GET to a numeric address; the host's name is what is asked for and certified."""
    return httpx.Request(
        "GET",
        address.copy_with(host=numeric),
        headers={
            "host": address.netloc.decode("ascii"),
            "accept": "image/jpeg, image/png, image/webp, image/gif",
            "accept-encoding": "identity",
            "user-agent": "tuan-cards/1",
        },
        extensions={
            "sni_hostname": address.raw_host.decode("ascii"),
            "timeout": httpx.Timeout(None, connect=connect_timeout_s).as_dict(),  # for the rest there is one for all
        },
    )


async def _image_of(answer: httpx.Response) -> bytes:
    if answer.status_code != HTTPStatus.OK:
        raise NotFetched(f"answered {answer.status_code}")
    content = bytearray()
    async for piece in answer.aiter_raw():  # nothing is unpacked: it was not asked for
        content += piece
        if len(content) > IMAGE_BYTES_MAX:
            raise NotFetched("too large")
    if not content.startswith(BEGINNINGS):
        raise NotFetched("no image")
    return bytes(content)

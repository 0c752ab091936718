"""Images from addresses that merchants wrote: fetched from public hosts only, bounded in size, time, number and turns.

A host is looked up once, its addresses are judged, and the very address that was judged is connected to: a name that
leads elsewhere a moment later changes nothing. Nothing that is sent back gets further than the process that draws.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import httpx

from infra.cards.fetching_turns import FETCHES_MAX, FetchingTurns
from infra.cards.image_formats import BEGINNINGS
from infra.cards.lookups import Lookups, NoThreadLeft
from infra.cards.reachable import Reachable, is_public

IMAGE_BYTES_MAX: Final = 5 * 1024 * 1024
FETCH_TIMEOUT_S: Final = 3.0
"""For all of it: waiting for a turn, looking up, every redirect, the last byte."""
FAIR_SHARE: Final = 0.5
"""The part of its time that an image must have had before it counts as too slow; else others were in its way."""
REDIRECTS_MAX: Final = 3
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""The numeric addresses of a host; raises OSError."""


class NotFetched(Exception):  # noqa: N818 - named after what happened
    """There is no image to be had there, and why."""


class OthersInTheWay(NotFetched):
    """It was not tried, or not for long enough to say anything of it."""


class ImageFetcher:
    """GETs images; `may_reach` is asked about every address before it is connected to."""

    def __init__(
        self, *, may_reach: Reachable = is_public, resolver: Resolver | None = None, timeout_s: float = FETCH_TIMEOUT_S
    ) -> None:
        self._may_reach = may_reach
        self._lookups = Lookups()
        self._resolve = resolver or self._lookups.resolve
        self._timeout_s = timeout_s
        self._turns = FetchingTurns()
        self._opening = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str) -> bytes:
        """What begins like an image and is none too large; raises `NotFetched`."""
        is_fair_until = time.monotonic() + self._timeout_s * FAIR_SHARE
        begun_at = float("inf")
        try:
            async with asyncio.timeout(self._timeout_s), self._turns.taken(httpx.URL(url).host):
                begun_at = time.monotonic()
                return await self._followed(await self._opened(), url)
        except NoThreadLeft:
            raise OthersInTheWay("no look-up now") from None
        except TimeoutError:
            raise (NotFetched("too slow") if begun_at <= is_fair_until else OthersInTheWay("no turn")) from None
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
            async with contextlib.aclosing(await client.send(await self._request(address), stream=True)) as answer:
                if not answer.is_redirect:
                    return await _image_of(answer)
                address = address.join(answer.headers.get("location", ""))
        raise NotFetched("too many redirects")

    async def _request(self, address: httpx.URL) -> httpx.Request:
        """A GET to the numeric address that the host leads to now; its name is what is asked for and certified."""
        port = address.port or _DEFAULT_PORTS.get(address.scheme)
        if port is None or not address.host or address.userinfo:
            raise NotFetched("no web address")
        resolved = await self._resolve(address.host, port)
        if not resolved or not all(self._may_reach(one, port) for one in resolved):
            raise NotFetched("not a public address")
        return httpx.Request(
            "GET",
            address.copy_with(host=resolved[0]),
            headers={
                "host": address.netloc.decode("ascii"),
                "accept": "image/jpeg, image/png, image/webp, image/gif",
                "accept-encoding": "identity",
                "user-agent": "tuan-cards/1",
            },
            extensions={"sni_hostname": address.raw_host.decode("ascii")},
        )

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
                    timeout=self._timeout_s,
                    limits=httpx.Limits(max_connections=FETCHES_MAX, max_keepalive_connections=0),
                )
            return self._client


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

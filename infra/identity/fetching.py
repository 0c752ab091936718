"""Asking a provider over HTTP: bounded in time and size, never redirected, and in the clear only on this machine."""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from infra.cannot_start import WrongSetting

ANSWER_BYTES_MAX: Final = 64 * 1024
ANSWER_TIMEOUT_S: Final = 5.0
CONNECTIONS_MAX: Final = 20


class ProviderUnavailable(Exception):  # noqa: N818 - named after what happened
    """The provider cannot be reached, is too slow, or says what cannot be understood; `reason` is for the log."""

    retry_after_s = 10

    def __init__(self, reason: str) -> None:
        super().__init__("The provider cannot be asked right now. Try again in a moment, or sign in another way.")
        self.reason = reason


class ProviderClient:
    """Asks providers; `answer_timeout_s` is for the whole answer, however slowly it comes."""

    def __init__(self, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def get(self, url: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """The body of an answer of 200; raises `ProviderUnavailable` for anything else, never with the parameters."""
        return await self._ask("GET", url, params=parameters)

    async def post(self, url: str, body: bytes) -> bytes:
        """As `get`, with JSON that is posted."""
        return await self._ask("POST", url, content=body, headers={"content-type": "application/json"})

    async def close(self) -> None:
        """Give connections back."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(self, method: str, url: str, **asked: Any) -> bytes:  # noqa: ANN401 - what the client takes
        address = httpx.URL(url)
        if not may_ask(address):
            raise ProviderUnavailable(f"{address.host} is not asked without TLS")
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                return await self._read(await self._opened(), method, address, **asked)
        except TimeoutError:
            raise ProviderUnavailable(f"{address.host} took too long") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderUnavailable(f"{address.host} cannot be reached: {type(error).__name__}") from None

    async def _read(
        self,
        client: httpx.AsyncClient,
        method: str,
        address: httpx.URL,
        **asked: Any,  # noqa: ANN401 - as above
    ) -> bytes:
        async with client.stream(method, address, **asked) as answer:
            if answer.status_code != HTTPStatus.OK:
                raise ProviderUnavailable(f"{address.host} answers {answer.status_code}")
            body = bytearray()
            async for piece in answer.aiter_raw():  # nothing is unpacked: it was not asked for
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise ProviderUnavailable(f"{address.host} says more than {ANSWER_BYTES_MAX} bytes")
            return bytes(body)

    async def _opened(self) -> httpx.AsyncClient:
        """Certificates are read by a thread: that takes tens of milliseconds."""
        async with self._opening:
            if self._client is None:
                logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells addresses, and one has a secret in it
                self._client = httpx.AsyncClient(
                    verify=await asyncio.to_thread(ssl.create_default_context),
                    follow_redirects=False,
                    timeout=self._answer_timeout_s,
                    limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
                    headers={"accept": "application/json", "accept-encoding": "identity"},
                )
            return self._client


def may_ask(address: httpx.URL) -> bool:
    """Whether an address may be asked: over TLS any, without only this machine's own, named by its number."""
    if address.scheme == "https":
        return True
    try:
        return address.scheme == "http" and ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return False


def refuse_in_the_clear(variable: str, url: str) -> None:
    """Raise `WrongSetting` for an address that would never be asked, at the start and not at the first sign-in."""
    if not may_ask(httpx.URL(url)):
        raise WrongSetting(f"{variable} must begin with https://; without TLS only this machine, as http://127.0.0.1.")

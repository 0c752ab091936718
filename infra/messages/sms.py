"""Text messages by an HTTP gateway: a signed POST of JSON each; docs/messages.md is for who writes the other side."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import httpx
import msgspec

from infra.ids import new_id
from infra.messages.port import Message, MessageNotSent
from infra.signed_bodies import signature

SIGNATURE_HEADER: Final = "tuan-signature"
ATTEMPTS: Final = 2
ATTEMPT_TIMEOUT_S: Final = 4.0
CONNECTIONS_MAX: Final = 32


class SmsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted; an `id` that comes again is the same message, to be sent once."""

    id: str
    to: str
    text: str


class SmsMessages:
    """Hands messages to one address, signed with a key that both sides know."""

    def __init__(self, url: str, key: bytes, *, attempt_timeout_s: float = ATTEMPT_TIMEOUT_S) -> None:
        self._url = httpx.URL(url)
        self._key = key
        self._attempt_timeout_s = attempt_timeout_s
        self._client = httpx.AsyncClient(
            timeout=attempt_timeout_s,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            trust_env=False,
            verify=httpx.create_ssl_context() if self._url.scheme == "https" else False,
        )

    async def send(self, message: Message) -> None:
        """What was not answered, or answered with a fault of theirs, is said once more; a refusal is final."""
        body = msgspec.json.encode(SmsBody(id=str(new_id()), to=message.recipient.address, text=message.text))
        why = ""
        for _ in range(ATTEMPTS):
            try:
                status = await self._post(body)
            except (httpx.HTTPError, TimeoutError) as error:
                why = f"no answer: {type(error).__name__}"
                continue
            if httpx.codes.is_success(status):
                return
            why = f"answered {status}"
            if not httpx.codes.is_server_error(status):
                break
        raise MessageNotSent(f"The SMS gateway {self._url.host}: {why}.")

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, body: bytes) -> int:
        """The status of the answer; nobody reads what else it says, and a redirection is followed nowhere."""
        headers = {"content-type": "application/json", SIGNATURE_HEADER: signature(self._key, body, datetime.now(UTC))}
        asked = self._client.stream("POST", self._url, content=body, headers=headers)
        async with asyncio.timeout(self._attempt_timeout_s), asked as answer:
            return answer.status_code

"""Telling a command and answering it; a repeated `Idempotency-Key` gets the first answer again, byte for byte."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec

from api.access import caller_of
from api.answers import Answer, encode
from api.requests import AnyRequest, header, invalid, runtime_of
from domain.groupbuy.commands import Command
from domain.groupbuy.world import Accepted
from infra.batch import Idempotency, Stored

KEY_HEADER: Final = "Idempotency-Key"
KEY_CHARACTERS_MAX = 255
REPLAYED: Final = (b"idempotency-replayed", b"true")


class _Kept(msgspec.Struct):
    """An answer as it is stored in the transaction of its effect."""

    status: int
    location: str | None
    body: msgspec.Raw


_kept = msgspec.json.Decoder(_Kept)


async def tell(
    request: AnyRequest, command: Command, body: msgspec.Struct, answer_of: Callable[[Accepted], Answer]
) -> Answer:
    """Tell a command once however often its key comes; raises what `Runtime.tell` raises.

    `body` as it was understood, not as it was spelled, decides with method and path whether a request is the same.
    """
    runtime = runtime_of(request)
    key = _key(request)
    if key is None:
        outcome = await runtime.tell(command)
    else:
        path = request.scope["path"].rstrip("/").lower()  # ids may be spelled either way
        asked = f"{request.scope['method']} {path}\n".encode() + encode(body)
        outcome = await runtime.tell(
            command,
            Idempotency(
                subject_id=caller_of(request).subject,
                key=key,
                request_hash=sha256(asked).digest(),
                render=lambda accepted: _keep(answer_of(accepted)),
            ),
        )
    return _replayed(outcome) if isinstance(outcome, Stored) else answer_of(outcome)


def _key(request: AnyRequest) -> str | None:
    value = header(request, b"idempotency-key")
    if value is None:
        return None
    key = value.decode("latin-1").strip()
    if not (0 < len(key) <= KEY_CHARACTERS_MAX and key.isascii() and key.isprintable()):
        raise invalid(KEY_HEADER, f"must have from 1 to {KEY_CHARACTERS_MAX} printable ASCII characters")
    return key


def _keep(answer: Answer) -> bytes:
    location = next((value.decode() for name, value in answer.headers if name == b"location"), None)
    return encode(_Kept(answer.status, location, msgspec.Raw(answer.body)))


def _replayed(stored: Stored) -> Answer:
    kept = _kept.decode(stored.answer)
    location = () if kept.location is None else ((b"location", kept.location.encode()),)
    return Answer(kept.status, bytes(kept.body), (REPLAYED, *location))

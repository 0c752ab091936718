"""Telling a command and answering it; a repeated `Idempotency-Key` gets the first answer again, byte for byte."""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Final

import msgspec
from sqlalchemy import text

from api.answers import Answer, encode
from api.requests import AnyRequest, header, invalid, runtime_of
from api.selves import key_owner
from domain.groupbuy.commands import Command
from domain.groupbuy.world import Accepted
from infra.batch import Idempotency, Stored
from infra.identity.audit import Deed
from infra.reading.fetching import fetch_json
from infra.unavailable import Unavailable

KEY_HEADER: Final = "Idempotency-Key"
KEY_CHARACTERS_MAX = 255
REPLAYED: Final = (b"idempotency-replayed", b"true")


class _Kept(msgspec.Struct):
    """An answer as it is stored in the transaction of its effect."""

    status: int
    location: str | None
    body: msgspec.Raw


_kept = msgspec.json.Decoder(_Kept)
_KEEP_INSTEAD = text("""
WITH kept AS (UPDATE idempotency_keys SET answer = :answer WHERE subject_id = :subject_id AND key = :key RETURNING 1)
SELECT count(*)::text FROM kept
""")


async def tell(
    request: AnyRequest,
    command: Command,
    body: msgspec.Struct,
    answer_of: Callable[[Accepted], Answer],
    deed: Deed | None = None,
) -> Answer:
    """Tell a command once however often its key comes; raises what `Runtime.tell` raises.

    `body` as it was understood, not as it was spelled, decides with method and path whether a request is the same.
    """
    outcome = await tell_once(request, command, body, answer_of, deed)
    return replayed(outcome) if isinstance(outcome, Stored) else answer_of(outcome)


async def tell_once(
    request: AnyRequest,
    command: Command,
    body: msgspec.Struct,
    answer_of: Callable[[Accepted], Answer],
    deed: Deed | None = None,
) -> Accepted | Stored:
    """As `tell`, for whoever has more to do before it answers; stored is the answer as it is after the decision."""
    runtime = runtime_of(request)
    key = _key(request)
    if key is None:
        return await runtime.tell(command, deed=deed)
    path = request.scope["path"].rstrip("/").lower()  # ids may be spelled either way
    asked = f"{request.scope['method']} {path}\n".encode() + encode(body)
    return await runtime.tell(
        command,
        Idempotency(
            subject_id=await key_owner(request, key),
            key=key,
            request_hash=sha256(asked).digest(),
            render=lambda accepted: _keep(answer_of(accepted)),
        ),
        deed,
    )


def use_key(request: AnyRequest, key: str) -> None:
    """Take this for the request's key: a page's form has it inside."""
    request.scope["idempotency_key"] = key  # type: ignore[typeddict-unknown-key]  # ours, see below


def replayed(stored: Stored) -> Answer:
    """The stored answer, marked as such."""
    kept = _kept.decode(stored.answer)
    location = () if kept.location is None else ((b"location", kept.location.encode()),)
    return Answer(kept.status, bytes(kept.body), (REPLAYED, *location))


async def keep_instead(request: AnyRequest, answer: Answer) -> None:
    """Store an answer in the place of the one its key has: what was awaited has come.

    Where it cannot be stored now, what has come stands all the same, and a repeat finds it by its order.
    """
    key = _key(request)
    if key is None:
        return
    with suppress(Unavailable):
        values = {"subject_id": await key_owner(request, key), "key": key, "answer": _keep(answer)}
        await fetch_json(runtime_of(request).engine, _KEEP_INSTEAD, values)


def _key(request: AnyRequest) -> str | None:
    of_a_form: str | None = request.scope.get("idempotency_key")  # type: ignore[assignment]  # ours, see use_key
    if of_a_form is not None:
        return _checked(of_a_form)
    value = header(request, b"idempotency-key")
    if value is None:
        return None
    if sum(name == b"idempotency-key" for name, _ in request.scope["headers"]) > 1:
        raise invalid(KEY_HEADER, "must be given once")
    return _checked(value.decode("latin-1").strip())


def _checked(key: str) -> str:
    if not (0 < len(key) <= KEY_CHARACTERS_MAX and key.isascii() and key.isprintable()):
        raise invalid(KEY_HEADER, f"must have from 1 to {KEY_CHARACTERS_MAX} printable ASCII characters")
    return key


def _keep(answer: Answer) -> bytes:
    location = next((value.decode() for name, value in answer.headers if name == b"location"), None)
    return encode(_Kept(answer.status, location, msgspec.Raw(answer.body)))

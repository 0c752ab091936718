"""Reading a body: bounded, JSON, of a known shape; every way it can be wrong becomes a named problem."""

import asyncio
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, TypeVar, cast, get_args, get_type_hints

import msgspec
from litestar.types import HTTPRequestEvent

from api.access import check_still_counts
from api.refused import BodyTooLarge, BodyTooSlow, MalformedJson, WrongContentType
from api.requests import ID_MESSAGE, AnyRequest, header, invalid

BODY_BYTES_MAX = 64 * 1024
JSON_TYPE = "application/json"
BODY_WAIT_S = 8.0
"""Below the time a stopping process gives its open requests."""

Shape = TypeVar("Shape")

_AT: Final = re.compile(r"(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_NAMED: Final = re.compile(r"Object (?P<problem>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)
_TYPES: Final = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "datetime": "a time such as 2026-05-01T12:00:00Z",
    "uuid": "an id (UUID)",
}
_VALUES: Final = {
    "Invalid UUID": ID_MESSAGE,
    "Invalid RFC3339 encoded datetime": "must be a time such as 2026-05-01T12:00:00Z",
    "Number out of range": "must be a whole number",
}
_EXPECTED: Final = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`")


class ClientGone(Exception):  # noqa: N818 - nobody is left to be told of an error
    """The caller hung up before the body was whole."""


async def read_json(
    request: AnyRequest,
    decoder: msgspec.json.Decoder[Shape],
    *,
    empty: Shape | None = None,
    bytes_max: int = BODY_BYTES_MAX,
) -> Shape:
    """The body as a value of the decoder's shape; no body at all is `empty` where that is given.

    Raises `BodyTooLarge`, `BodyTooSlow`, `WrongContentType`, `MalformedJson` or `InvalidInput`, and changes nothing.
    """
    body = await read_bytes(request, bytes_max)
    if not body and empty is not None:
        return empty
    if content_type(request) not in {None, JSON_TYPE}:
        raise WrongContentType
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error), decoder.type) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(body, error) from None


async def read_bytes(request: AnyRequest, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """All of the body as it came, in as many pieces as it comes; raises `BodyTooLarge` or `BodyTooSlow`.

    Who sends it may have lost the right to while it came, which `NotAuthenticated` says.
    """
    if _has_none(request):
        return b""
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            body = await _read_whole(request, bytes_max)
    except TimeoutError:
        raise BodyTooSlow(BODY_WAIT_S) from None
    check_still_counts(request)
    return body


def content_type(request: AnyRequest) -> str | None:
    """What the body is said to be, without parameters; None where nothing is said."""
    said = header(request, b"content-type")
    return None if said is None else said.partition(b";")[0].strip().lower().decode("latin-1")


async def _read_whole(request: AnyRequest, bytes_max: int) -> bytes:
    body = bytearray()  # it may come byte by byte
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = cast("HTTPRequestEvent", message)
        if len(body) + len(piece["body"]) > bytes_max:
            raise BodyTooLarge(bytes_max)
        if not piece.get("more_body", False):
            return bytes(body + piece["body"]) if body else piece["body"]
        body += piece["body"]


def _has_none(request: AnyRequest) -> bool:
    """Whether the head says that no body follows (RFC 9112, 6.3): waiting for it costs as much as routing."""
    if not request.scope["http_version"].startswith("1"):
        return False
    length = header(request, b"content-length")
    return length == b"0" or (length is None and header(request, b"transfer-encoding") is None)


def _wrong_shape(text: str, shape: type[object]) -> Exception:
    """The decoder's message as a field problem: `Expected `int`, got `str` - at `$.tiers[0].unit_price``."""
    found = _AT.fullmatch(text)
    message, path = (found["message"], found["path"]) if found else (text, None)
    field = (path or "").removeprefix("$").removeprefix(".")
    named = _NAMED.fullmatch(message)
    if named:
        field = f"{field}.{named['name']}" if field else named["name"]
        return invalid(field, "is required" if named["problem"] == "missing required" else "is not a field here")
    expected = _EXPECTED.fullmatch(message)
    if expected:
        kinds = " or ".join(_TYPES.get(kind, kind) for kind in expected["expected"].split(" | "))
        message = f"must be {kinds}, not {_TYPES.get(expected['got'], expected['got'])}"
    elif message.startswith("Invalid enum value"):
        message = f"must be one of {', '.join(_words_of(shape, field))}"
    return invalid(field or "body", _VALUES.get(message, message).replace("`", ""))


def _words_of(shape: type[object], field: str) -> Iterator[str]:
    """What a field (`reward.kind`) that is one of a fixed set of words may be."""
    name, _, rest = re.sub(r"\[[^]]*]", "", field).partition(".")
    kind = get_type_hints(shape)[name]
    for part in get_args(kind) or (kind,):
        if not isinstance(part, type):
            continue
        if rest and issubclass(part, msgspec.Struct):
            yield from _words_of(part, rest)
        elif not rest and issubclass(part, StrEnum):
            yield from part


def _unreadable(body: bytes, error: Exception) -> Exception:
    """Half a surrogate pair is JSON by the letter, so its field is named; anything else is no JSON at all."""
    why = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8 or too deep"
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        return MalformedJson(why)
    for path, text in _texts(value, ""):
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return invalid(path or "body", "must not hold broken surrogates")
    return MalformedJson(why)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name, part in value.items():
                shown = name.encode("ascii", "backslashreplace").decode()
                where = f"{path}.{shown}" if path else shown
                yield where, name
                yield from _texts(part, where)
        case list():
            for number, part in enumerate(value):
                yield from _texts(part, f"{path}[{number}]")
        case _:
            pass

"""What handlers read of a request besides its body: the runtime, headers, ids of the path, values of the query."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Request

from domain.errors import FieldProblem, InvalidInput
from infra.reading.cursors import CURSOR_CHARACTERS_MAX, WrongCursor
from infra.reading.page import LIMIT_DEFAULT, LIMIT_MAX
from infra.runtime import Runtime

QUERY_FIELDS_MAX = 20
IDS_REMEMBERED_MAX = 4_096
ID_MESSAGE = "must be an id such as 01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"

_ID_CHARACTERS: Final = 36
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LIMIT: Final = re.compile("[1-9][0-9]{0,2}", re.ASCII)

Choice = TypeVar("Choice", bound=StrEnum)
AnyRequest = Request[Any, Any, Any]


def runtime_of(request: AnyRequest) -> Runtime:
    """What this process works with."""
    return cast("Runtime", request.scope["litestar_app"].state.runtime)


def header(request: AnyRequest, name: bytes) -> bytes | None:
    """The value of a header, its name in lower case; without building a mapping of all of them."""
    for key, value in request.scope["headers"]:
        if key == name:
            return value
    return None


def path_id(request: AnyRequest, name: str) -> UUID:
    """An id of the path; raises `InvalidInput` for anything but a UUID in its usual form."""
    text: str = request.scope["path_params"][name]
    found = read_id(text)
    if found is None:
        raise invalid(name, ID_MESSAGE)
    return found


def query_of(request: AnyRequest) -> dict[str, str]:
    """The query's fields; raises `InvalidInput` for one that is not text or came twice."""
    query_string = request.scope["query_string"]
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS_MAX
        )
    except ValueError:
        raise invalid("query", f"must be UTF-8, percent-encoded, of at most {QUERY_FIELDS_MAX} fields") from None
    query = dict(pairs)
    if len(query) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise invalid(twice, "must be given once")
    return query


def query_choice(query: dict[str, str], name: str, choices: type[Choice]) -> Choice | None:
    """One of a fixed set of words."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return choices(text)
    except ValueError:
        raise invalid(name, f"must be one of {', '.join(choice.value for choice in choices)}") from None


def query_id(query: dict[str, str], name: str) -> UUID | None:
    """An id in the query."""
    text = query.get(name)
    found = None if text is None else read_id(text)
    if text is not None and found is None:
        raise invalid(name, ID_MESSAGE)
    return found


def limit_of(query: dict[str, str]) -> int:
    """How many items the caller wants on a page."""
    text = query.get("limit")
    if text is None:
        return LIMIT_DEFAULT
    if not _LIMIT.fullmatch(text) or int(text) > LIMIT_MAX:
        raise invalid("limit", f"must be a whole number from 1 to {LIMIT_MAX}")
    return int(text)


def cursor_of(query: dict[str, str]) -> str | None:
    """Where the caller wants to go on; what is inside is for the reader of the list to judge."""
    cursor = query.get("cursor")
    if cursor is not None and not 0 < len(cursor) <= CURSOR_CHARACTERS_MAX:
        raise WrongCursor
    return cursor


def invalid(field: str, message: str) -> InvalidInput:
    """One wrong field."""
    return InvalidInput([FieldProblem(field, message)])


def read_id(text: str) -> UUID | None:
    """An id in its usual form; None for any other text, of which the long ones are not worth remembering."""
    return _read_id(text) if len(text) == _ID_CHARACTERS else None


@lru_cache(IDS_REMEMBERED_MAX)
def _read_id(text: str) -> UUID | None:
    return UUID(text) if _UUID.fullmatch(text) else None

"""The words an operation is described in."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

Headers = Literal["Location", "ETag", "Idempotency-Replayed"]


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer that is no problem: what it means, its shape (none: no body), an example and its headers.

    `as_text` are other types it comes in, each with an example.
    """

    meaning: str
    shape: Any = None
    example: object = None
    headers: Sequence[Headers] = ()
    media_type: str = "application/json"
    as_text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """A request's body: its shape, an example, whether it may be left out, and other types it may be sent in."""

    shape: type
    example: object
    is_required: bool = True
    as_text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation for its callers; problems that follow from its access, its ids or its body need no mention."""

    id: str
    _: KW_ONLY
    summary: str
    answers: Mapping[int, Sent]
    description: str = ""
    body: Received | None = None
    query: Sequence[str] = ()
    problems: Sequence[type[Exception]] = ()
    takes_idempotency_key: bool = False
    needs_database: bool = True

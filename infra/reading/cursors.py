"""Cursors: where a page ended, as text that means nothing to the app that hands it back.

A position is the sort key of the last item shown, tagged with the list it belongs to. It is base64url of compact JSON
and not signed: whoever makes one up gets to a place in a public list, or is refused.
"""

import base64
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Annotated, TypeVar

import msgspec

from domain.errors import FieldProblem, InvalidInput

CURSOR_CHARACTERS_MAX = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_YEAR_1_US = -62_135_596_800_000_000
_YEAR_9999_US = 253_402_300_799_999_999

# A number beyond its column would not be refused by us but by PostgreSQL, as an error nobody expects.
MomentUs = Annotated[int, msgspec.Meta(ge=_YEAR_1_US, le=_YEAR_9999_US)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
BigCount = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The sort key of the last item shown; every list has its own, told apart by `tag`."""


Place = TypeVar("Place", bound=Position)


class WrongCursor(InvalidInput):
    """The cursor was not given out by this list."""

    def __init__(self) -> None:
        message = "must be the next_cursor of a page of this very list; leave it out to begin at the first page"
        super().__init__([FieldProblem("cursor", message)])


def encode(position: Position) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode(cursor: str, *kinds: type[Place]) -> Place:
    """The position a cursor stands for; raises `WrongCursor` for every text that `encode` would not have given."""
    if len(cursor) > CURSOR_CHARACTERS_MAX:
        raise WrongCursor
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position: Place = msgspec.json.decode(text, type=reduce(or_, kinds))
    except (ValueError, msgspec.MsgspecError) as error:
        raise WrongCursor from error
    if encode(position) != cursor:
        raise WrongCursor
    return position


def microseconds(moment: datetime) -> int:
    """A moment as a cursor carries it."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds_since_1970: int) -> datetime:
    """The moment a cursor carries."""
    return _EPOCH + timedelta(microseconds=microseconds_since_1970)

"""Groups and places as they are answered."""

from functools import lru_cache

from api.answers import Answer, encode
from domain.errors import FieldProblems, InvalidInput
from domain.groupbuy.group import Place
from domain.groupbuy.text import DISPLAY_NAME_CHARACTERS_MAX, check_line
from domain.groupbuy.world import Accepted
from infra.payments.payment_rows import NotedPayment
from infra.rows_money import payment_from
from infra.views import GroupView, PlaceView, group_view, place_view, reserved_view

NAMES_REMEMBERED_MAX = 16_384


class GroupAnswer(GroupView, frozen=True, kw_only=True):
    """A group and, where the caller is in it, his own place."""

    you: PlaceView | None


def group_body(view: GroupView, place: PlaceView | None) -> bytes:
    """A `GroupAnswer` as JSON, put together from its two halves: that spares building it first."""
    return encode(view)[:-1] + b',"you":' + encode(place) + b"}"


def taken_place(accepted: Accepted) -> Answer:
    """What opening and joining answer: 201 the first time, 200 when the place was taken already."""
    group, place = accepted.state.group, accepted.state.place
    if group is None or place is None:
        message = "an accepted join has a group and a place"
        raise ValueError(message)
    view = group_view(group)
    body = group_body(view, place_view(place, view))
    if not accepted.events:
        return Answer(200, body)
    return Answer(201, body, ((b"location", f"/v1/groups/{group.id}".encode()),))


def shown_place(found: Place | NotedPayment | None, view: GroupView) -> PlaceView | None:
    """A shopper's place, or the one reserved for him, as he sees it."""
    match found:
        case Place():
            return place_view(found, view)
        case NotedPayment():
            return reserved_view(payment_from(found), found.awaited)
        case None:
            return None


@lru_cache(NAMES_REMEMBERED_MAX)
def display_name(name: str | None) -> str | None:
    """A token's name as others may see it; one that breaks the rules of names is left out, which bars nobody."""
    if name is None:
        return None
    shown = name.strip()
    problems = FieldProblems()
    check_line(problems, "name", shown, 1, DISPLAY_NAME_CHARACTERS_MAX)
    try:
        problems.raise_if_any()
    except InvalidInput:
        return None
    return shown

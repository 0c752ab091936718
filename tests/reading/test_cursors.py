"""Cursors: given out by one list, taken back by that list only."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from infra.ids import new_id
from infra.reading.cursors import Position, WrongCursor, decode, encode, microseconds, moment
from infra.reading.deal_orders import DealSort, Ending, Endless, Newest, Popular
from infra.reading.deals import list_deals
from infra.reading.groups import (
    MyGroupsPosition,
    OpenGroupsPosition,
    ParticipantsPosition,
    list_my_groups,
    list_open_groups,
    list_participants,
)
from tests.reading.shop import Shop

SOME_ID = UUID(int=7)
POSITIONS = (
    Newest(SOME_ID, 0),
    Popular(SOME_ID, 3),
    Ending(SOME_ID, -5),
    Endless(SOME_ID),
    OpenGroupsPosition(2, SOME_ID),
    ParticipantsPosition(9),
    MyGroupsPosition(1, SOME_ID),
)


def text_of(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


@pytest.mark.parametrize("position", POSITIONS, ids=lambda position: type(position).__name__)
def test_a_cursor_comes_back_as_the_position_it_was(position: Position) -> None:
    """What is given out is understood, and says nothing to whoever reads it as an address."""
    cursor = encode(position)
    assert decode(cursor, type(position)) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_the_made_up_cursors_are_nearly_right() -> None:
    """The refusals below are for what is wrong in each, not for a shape that no cursor has."""
    assert text_of(f'["deals_newest","{SOME_ID}",0]') == encode(Newest(SOME_ID, 0))


@pytest.mark.parametrize(
    "moment_told", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)]
)
def test_moments_keep_their_microseconds(moment_told: datetime) -> None:
    """The first and the last moment there is survive the way through a cursor."""
    assert moment(microseconds(moment_told)) == moment_told


@pytest.mark.parametrize("position", POSITIONS, ids=lambda position: type(position).__name__)
async def test_a_cursor_of_another_list_is_refused(shop: Shop, position: Position) -> None:
    """Each list, and each order of one, takes its own cursors only; the field is named."""
    cursor = encode(position)
    lists: dict[type, Callable[[], Awaitable[object]]] = {
        Newest: lambda: list_deals(shop.engine, sort=DealSort.NEWEST, cursor=cursor),
        Popular: lambda: list_deals(shop.engine, sort=DealSort.POPULAR, cursor=cursor),
        Ending: lambda: list_deals(shop.engine, sort=DealSort.ENDING_SOON, cursor=cursor),
        Endless: lambda: list_deals(shop.engine, sort=DealSort.ENDING_SOON, cursor=cursor),
        OpenGroupsPosition: lambda: list_open_groups(shop.engine, new_id(), cursor=cursor),
        ParticipantsPosition: lambda: list_participants(shop.engine, new_id(), cursor=cursor),
        MyGroupsPosition: lambda: list_my_groups(shop.engine, new_id(), cursor=cursor),
    }
    await lists.pop(type(position))()
    if isinstance(position, Ending | Endless):
        await lists.pop(Endless if isinstance(position, Ending) else Ending)()  # two stretches of one list
    for read in lists.values():
        with pytest.raises(WrongCursor) as refused:
            await read()
        assert [problem.field for problem in refused.value.problems] == ["cursor"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "not ours",
        "\x00",
        "\ud800",
        "é",
        "x" * 100_000,
        text_of("[" * 100),
        text_of("null"),
        text_of('["deals_newest"]'),
        text_of('["deals_newest","x",0]'),
        text_of(f'["deals_newest","{SOME_ID}",0,1]'),
        text_of(f'["deals_newest","{SOME_ID}", 0]'),
        text_of(f'["deals_newest","{SOME_ID.hex}",0]'),
        text_of(f'["deals_newest","{SOME_ID}",0.5]'),
        text_of(f'["deals_newest","{SOME_ID}",null]'),
        text_of(f'["deals_newest","{SOME_ID}",{2**63}]'),
        text_of(f'["deals_newest","{SOME_ID}",{3 * 10**17}]'),
        encode(POSITIONS[0]) + "=",
        encode(POSITIONS[0]) + "\n",
        encode(POSITIONS[0])[:-1],
    ],
)
async def test_what_was_never_given_out_is_refused(shop: Shop, cursor: str) -> None:
    """No made-up text reaches PostgreSQL or breaks the server."""
    with pytest.raises(WrongCursor):
        await list_deals(shop.engine, cursor=cursor)


@pytest.mark.parametrize("number", [-1, 2**31])
async def test_a_number_no_column_holds_is_refused(shop: Shop, number: int) -> None:
    """A well-formed position with a number PostgreSQL would choke on is none of ours."""
    with pytest.raises(WrongCursor):
        await list_participants(shop.engine, SOME_ID, cursor=encode(ParticipantsPosition(number)))


async def test_the_farthest_positions_are_only_empty_pages(shop: Shop) -> None:
    """Every position a cursor can say, PostgreSQL understands."""
    await shop.live()
    for year in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)):
        for id_ in (UUID(int=0), UUID(int=2**128 - 1)):
            at = microseconds(year)
            await list_deals(shop.engine, cursor=encode(Newest(id_, at)))
            await list_deals(shop.engine, sort=DealSort.ENDING_SOON, cursor=encode(Ending(id_, at)))
            await list_my_groups(shop.engine, SOME_ID, cursor=encode(MyGroupsPosition(at, id_)))
    await list_deals(shop.engine, sort=DealSort.POPULAR, cursor=encode(Popular(SOME_ID, 2**63 - 1)))
    await list_open_groups(shop.engine, SOME_ID, cursor=encode(OpenGroupsPosition(2**31 - 1, SOME_ID)))
    assert not (await list_participants(shop.engine, SOME_ID, cursor=encode(ParticipantsPosition(2**31 - 1)))).items

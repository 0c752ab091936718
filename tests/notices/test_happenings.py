"""Which happenings of a group are told, and whether they still are when their time has come."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.groupbuy.events import (
    Event,
    GroupCancelled,
    GroupFailed,
    GroupOpened,
    GroupSucceeded,
    ParticipantJoined,
    ParticipantLeft,
    PlaceReserved,
    TierReached,
)
from domain.groupbuy.group import Group, GroupStatus
from domain.notices.happenings import NEWS, happenings, is_still_news, push_waits_s
from domain.notices.kinds import FATES, Kind
from tests.domain.catalogue import DEAL, GROUP, NOON, offer
from tests.domain.catalogue import schedule as prices

TERMS = offer(schedule=prices(2_000, (2, 1_800), (4, 1_500)), group_size_max=6).terms_with(None)
HOUR = timedelta(hours=1)


def group(participants: int = 1, **changes: Any) -> Group:
    """A group of six that lives for three hours."""
    plain = Group(
        id=GROUP,
        deal_id=DEAL,
        leader_id=None,
        terms=TERMS,
        status=GroupStatus.OPEN,
        participants=participants,
        units_by_variant={},
        version=participants,
        opened_at=NOON,
        expires_at=NOON + 3 * HOUR,
    )
    return replace(plain, **changes)


def told(events: Collection[type[Event]], of: Group, now: datetime = NOON) -> dict[Kind, float]:
    """What is to be told, and in how many seconds."""
    return {one.kind: (one.due_at - now).total_seconds() for one in happenings(events, of, now)}


@pytest.mark.parametrize(
    ("events", "of", "expected"),
    [
        ([GroupOpened, ParticipantJoined], group(), {Kind.ONE_HOUR_LEFT: 7_200}),
        ([GroupOpened, ParticipantJoined], group(expires_at=NOON + 2 * HOUR), {Kind.ONE_HOUR_LEFT: 3_600}),
        ([GroupOpened, ParticipantJoined], group(expires_at=NOON + 1.9 * HOUR), {}),
        ([ParticipantJoined], group(3), {Kind.JOINED: 10}),
        ([ParticipantJoined, TierReached], group(2), {Kind.JOINED: 10, Kind.PRICE_DROPPED: 10}),
        ([ParticipantJoined], group(4), {Kind.JOINED: 10, Kind.TWO_PLACES_LEFT: 0}),
        ([PlaceReserved], group(3, awaiting=2), {Kind.TWO_PLACES_LEFT: 0}),
        ([ParticipantLeft], group(4), {}),
        ([ParticipantJoined, GroupSucceeded], group(6, status=GroupStatus.SUCCEEDED), {Kind.SUCCEEDED: 0}),
        ([GroupFailed], group(1, status=GroupStatus.FAILED), {Kind.FAILED: 0}),
        ([GroupCancelled], group(1, status=GroupStatus.CANCELLED), {Kind.CANCELLED: 0}),
    ],
)
def test_what_is_told(events: list[type[Event]], of: Group, expected: dict[Kind, float]) -> None:
    """Each happening by the rule for it, at its time."""
    assert told(events, of) == expected


def test_a_small_group_has_hardly_begun_with_two_places_left() -> None:
    """In a group of four that is half of it."""
    small = group(2, terms=replace(TERMS, group_size_max=4))
    assert Kind.TWO_PLACES_LEFT not in told([ParticipantJoined], small)
    assert not is_still_news(Kind.TWO_PLACES_LEFT, small, NOON)


@given(st.sets(st.sampled_from(NEWS)), st.integers(0, 6), st.sampled_from(GroupStatus))
def test_of_a_closed_group_only_its_fate_is_told(events: set[type[Event]], people: int, status: GroupStatus) -> None:
    """Nobody is called to a group that is over."""
    kinds = set(told(events, group(people, status=status)))
    if status is not GroupStatus.OPEN:
        assert kinds <= FATES
    news = {kind for kind in Kind if is_still_news(kind, group(people, status=status), NOON)}
    assert news & FATES == FATES & {status}
    assert status is GroupStatus.OPEN or news <= FATES


@pytest.mark.parametrize(
    ("kind", "of", "after", "is_news"),
    [
        (Kind.ONE_HOUR_LEFT, group(3), 2 * HOUR, True),
        (Kind.ONE_HOUR_LEFT, group(3), 2.2 * HOUR, True),
        (Kind.ONE_HOUR_LEFT, group(3), 2.5 * HOUR, False),  # we were away: it is half an hour by now
        (Kind.ONE_HOUR_LEFT, group(6, status=GroupStatus.SUCCEEDED), 2 * HOUR, False),
        (Kind.TWO_PLACES_LEFT, group(4), HOUR, True),
        (Kind.TWO_PLACES_LEFT, group(5), HOUR, True),
        (Kind.TWO_PLACES_LEFT, group(3), HOUR, False),  # somebody's reservation lapsed
        (Kind.PRICE_DROPPED, group(2), HOUR, True),
        (Kind.JOINED, group(1), HOUR, False),  # whoever came has left
        (Kind.JOINED, group(2), 3 * HOUR, False),
        (Kind.SUCCEEDED, group(6, status=GroupStatus.SUCCEEDED), 9 * HOUR, True),
        (Kind.FAILED, group(6, status=GroupStatus.SUCCEEDED), 9 * HOUR, False),
    ],
)
def test_what_is_no_news_any_more_is_not_told(kind: Kind, of: Group, after: timedelta, is_news: bool) -> None:  # noqa: FBT001 - a column of the table
    """However late it is looked at, nobody is told what is not so."""
    assert is_still_news(kind, of, NOON + after) is is_news


@pytest.mark.parametrize(("stock_left", "is_news"), [(None, True), (1, True), (0, False)])
def test_places_are_no_news_where_nothing_is_left_to_buy(stock_left: int | None, is_news: bool) -> None:  # noqa: FBT001 - a column of the table
    """Two places are free, and the deal is sold out: nobody is called to them."""
    assert is_still_news(Kind.TWO_PLACES_LEFT, group(4), NOON, stock_left) is is_news


def test_what_somebody_waits_for_is_not_held_back() -> None:
    """A group's success and a payment are pushed at once, the rest a few seconds later, together."""
    assert {kind for kind in Kind if push_waits_s(kind) == 0} == {
        Kind.SUCCEEDED,
        Kind.PAYMENT_NEEDED,
        Kind.PAYMENT_LATE,
    }

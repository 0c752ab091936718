"""When a way is tried, and when it is let alone: one line for each outage."""

import pytest
from structlog.testing import capture_logs

from workers.ways import ASKED_REST_S_MAX, FAILURES_IN_A_ROW, FULL_S, REST_FIRST_S, REST_MAX_S, Way


class Clock:
    """Moved by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fails(way: Way, times: int, asked_rest_s: float | None = None) -> None:
    for _ in range(times):
        way.begin()
        way.end()
        way.failed("no answer", asked_rest_s)


def test_one_that_fails_rests_longer_and_longer_and_is_said_once(clock: Clock) -> None:
    """Five in a row, then a rest; what is tried after it decides about the next, up to a minute; then it goes on.

    However many were under way when a rest began, they make neither it nor the next one longer.
    """
    way, rests = Way("android", 64, clock), []
    with capture_logs() as lines:
        fails(way, FAILURES_IN_A_ROW - 1)
        assert way.put_off_s == 0
        for _ in range(8):
            fails(way, 60)
            rests.append(way.put_off_s)
            clock.now_s += rests[-1]
            assert way.put_off_s == 0
        way.went_well()
    assert rests == [REST_FIRST_S * 2**n for n in range(5)] + [REST_MAX_S] * 3
    assert [line["event"] for line in lines] == ["notices_wait", "notices_go_on"]


def test_after_a_rest_one_goes_first(clock: Clock) -> None:
    """A service that is still away costs one attempt then, and the others follow one that came through."""
    way = Way("android", 64, clock)
    fails(way, FAILURES_IN_A_ROW)
    clock.now_s += REST_FIRST_S
    assert way.put_off_s == 0
    way.begin()
    assert way.put_off_s == FULL_S
    way.end()
    way.went_well()
    way.begin()
    assert way.put_off_s == 0


@pytest.mark.parametrize(("asked_s", "rest_s"), [(0.5, REST_FIRST_S), (30.0, 30.0), (3_600.0, ASKED_REST_S_MAX)])
def test_one_that_says_how_long_is_let_alone_for_so_long(clock: Clock, asked_s: float, rest_s: float) -> None:
    """Within reason: a service must not silence all of its phones for an hour."""
    way = Way("android", 64, clock)
    fails(way, FAILURES_IN_A_ROW, asked_s)
    assert way.put_off_s == rest_s


def test_what_is_refused_now_and_then_is_no_outage() -> None:
    """Failures count in a row only."""
    way = Way("ios", 64)
    for _ in range(20):
        fails(way, FAILURES_IN_A_ROW - 1)
        way.went_well()
    assert way.put_off_s == 0


def test_one_that_is_full_takes_nothing() -> None:
    """Not for long: what is under way ends soon."""
    way = Way("mail", 2)
    way.begin()
    assert (way.room, way.put_off_s) == (1, 0)
    way.begin()
    assert (way.room, way.put_off_s) == (0, FULL_S)
    way.end()
    assert (way.room, way.put_off_s) == (1, 0)

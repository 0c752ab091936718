"""When a way is tried, and when it is let alone: one line for each outage."""

from structlog.testing import capture_logs

from workers.ways import FAILURES_IN_A_ROW, FULL_S, REST_FIRST_S, REST_MAX_S, Way


def test_one_that_fails_rests_longer_and_longer_and_is_said_once() -> None:
    """Five in a row, then a rest; what is tried after it decides about the next, up to a minute; then it goes on."""
    now = 0.0
    way = Way("android", 64, lambda: now)
    rests = []
    with capture_logs() as lines:
        for _ in range(FAILURES_IN_A_ROW - 1):
            way.failed("no answer")
        assert way.put_off_s == 0
        for _ in range(8):
            way.failed("no answer")
            rests.append(way.put_off_s)
            way.failed("no answer")  # under way since before
            now += rests[-1]
            assert way.put_off_s == 0
        way.went_well()
    assert rests[0] == REST_FIRST_S
    assert sorted(rests) == rests
    assert rests[-1] == REST_MAX_S
    assert [line["event"] for line in lines] == ["notices_wait", "notices_go_on"]


def test_what_is_refused_now_and_then_is_no_outage() -> None:
    """Failures count in a row only."""
    way = Way("ios", 64)
    for _ in range(20):
        for _ in range(FAILURES_IN_A_ROW - 1):
            way.failed("busy")
        way.went_well()
    assert way.put_off_s == 0


def test_one_that_is_full_takes_nothing() -> None:
    """Not for long: what is under way ends soon."""
    assert Way("mail", 0).put_off_s == FULL_S

"""Who is sent what, by which way and when: the rule alone, and with the clocks of places."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.notices.choices import Choices, QuietHours, when_to_deliver
from domain.notices.kinds import Channel, Kind
from infra.notices.choices import KeptChoices, KeptQuietHours, decode_choices
from infra.notices.time_zones import is_time_zone, local_time

CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
LOCAL = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))  # noqa: DTZ001 - times of the clock have no zone
NIGHT = QuietHours(time(22), time(8))


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-03-01T21:59", "2026-03-01T21:59"),
        ("2026-03-01T22:00", "2026-03-02T08:00"),
        ("2026-03-01T23:59", "2026-03-02T08:00"),
        ("2026-03-02T00:00", "2026-03-02T08:00"),
        ("2026-03-02T07:59", "2026-03-02T08:00"),
        ("2026-03-02T08:00", "2026-03-02T08:00"),
    ],
)
def test_quiet_hours_go_past_midnight(now: str, then: str) -> None:
    """A push waits until they are over, and no longer."""
    choices = Choices(quiet_hours=NIGHT)
    due = when_to_deliver(Kind.JOINED, Channel.PUSH, choices, datetime.fromisoformat(now))
    assert due == datetime.fromisoformat(then)


@given(CLOCKS, CLOCKS, LOCAL, st.sampled_from(Kind))
def test_nothing_makes_a_noise_in_quiet_hours(begin: time, end: time, local: datetime, kind: Kind) -> None:
    """A push is never earlier than now, never in quiet hours, and within a day; only what cannot wait does not."""
    quiet = QuietHours(begin, end)
    due = when_to_deliver(kind, Channel.PUSH, Choices(quiet_hours=quiet), local)
    assert due is not None
    assert local <= due <= local + timedelta(days=1)
    if kind is Kind.PAYMENT_NEEDED:
        assert due == local
    else:
        assert not quiet.covers(due.time())
        assert due == local or quiet.covers(local.time())


@given(CLOCKS, CLOCKS, LOCAL)
def test_letters_wake_nobody(begin: time, end: time, local: datetime) -> None:
    """An e-mail goes at once at any hour."""
    choices = Choices(quiet_hours=QuietHours(begin, end))
    assert when_to_deliver(Kind.SUCCEEDED, Channel.EMAIL, choices, local) == local


def test_choices_are_by_kind_and_way() -> None:
    """What is not chosen is as for everybody; what is switched off comes no way."""
    choices = Choices(
        switched_off=frozenset({Kind.PRICE_DROPPED}),
        by_kind={
            Kind.JOINED: {Channel.PUSH: False, Channel.EMAIL: True},
            Kind.PRICE_DROPPED: {Channel.PUSH: True},
        },
    )
    wanted = {(kind, channel) for kind in Kind for channel in Channel if choices.wants(kind, channel)}
    untouched = {
        (kind, channel)
        for kind in set(Kind) - {Kind.JOINED, Kind.PRICE_DROPPED}
        for channel in Channel
        if Choices().wants(kind, channel)
    }
    assert wanted == untouched | {(Kind.JOINED, Channel.EMAIL)}


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        ("Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T06:00Z"),  # that night the clock is put forward
        ("Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T07:00Z"),  # and that night put back
        ("America/New_York", "2026-03-08T05:00Z", "2026-03-08T12:00Z"),
        ("Asia/Kathmandu", "2026-03-01T20:00Z", "2026-03-02T02:15Z"),
        ("Pacific/Apia", "2026-03-01T10:00Z", "2026-03-01T19:00Z"),
        ("Mars/Olympus", "2026-03-01T23:00Z", "2026-03-02T08:00Z"),  # a zone nobody knows any more is taken for UTC
    ],
)
def test_quiet_hours_end_by_the_clock_there(zone: str, now: str, then: str) -> None:
    """Eight o'clock is eight o'clock, also where a night has an hour more or less."""
    kept = KeptChoices(quiet_hours=KeptQuietHours("22:00", "08:00", zone))
    moment, due = datetime.fromisoformat(now), datetime.fromisoformat(then)
    assert kept.due(Kind.JOINED, Channel.PUSH, moment) == due
    assert local_time(due, zone).time() == time(8)
    assert kept.due(Kind.PAYMENT_NEEDED, Channel.PUSH, moment) == moment


def test_an_end_that_the_clock_leaves_out_is_so_much_later() -> None:
    """Half past two, where three follows two: the quiet is over at half past three of the new time."""
    kept = KeptChoices(quiet_hours=KeptQuietHours("22:00", "02:30", "Europe/Berlin"))
    due = kept.due(Kind.JOINED, Channel.PUSH, datetime(2026, 3, 29, 0, tzinfo=UTC))
    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_end_that_comes_twice_is_over_the_first_time() -> None:
    """Half past two, and then two again: what happens in the hour that is repeated does not wait, nor is it early."""
    kept = KeptChoices(quiet_hours=KeptQuietHours("22:00", "02:30", "Europe/Berlin"))
    before, again = datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert local_time(before, "Europe/Berlin").time() == local_time(again, "Europe/Berlin").time() == time(2, 15)
    assert kept.due(Kind.JOINED, Channel.PUSH, before) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert kept.due(Kind.JOINED, Channel.PUSH, again) == again


def test_what_was_kept_before_is_understood() -> None:
    """Accounts that only know the first three switches; what they switched off they are sent no way."""
    kept = decode_choices('{"group_closing": false, "marketing": true}').effective()
    assert kept[Kind.ONE_HOUR_LEFT] == kept[Kind.TWO_PLACES_LEFT] == {Channel.PUSH: False, Channel.EMAIL: False}
    assert kept[Kind.SUCCEEDED] == {Channel.PUSH: True, Channel.EMAIL: True}


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "localtime", "berlin"])
def test_only_names_of_time_zones_are(name: str) -> None:
    """What is not in the database is none, whatever file it names."""
    assert not is_time_zone(name)
    assert is_time_zone("Europe/Berlin")

"""Small valid offers for Hypothesis: few places, little stock, short lives, so that every bound is met soon."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from domain.groupbuy.deal import Grouping, Offer
from domain.pricing.schedule import PriceSchedule, Tier
from tests.domain.catalogue import NOON, offer

GROUP_SIZE_MAX = 5
PRICES = st.integers(1, 50)


@st.composite
def schedules(draw: st.DrawFn, participants_max: int = GROUP_SIZE_MAX, tiers_max: int = 3) -> PriceSchedule:
    """Any valid schedule within so many participants."""
    thresholds = draw(st.sets(st.integers(1, participants_max), min_size=1, max_size=min(tiers_max, participants_max)))
    prices = draw(st.sets(PRICES, min_size=len(thresholds) + 1, max_size=len(thresholds) + 1))
    solo_price, *falling = sorted(prices, reverse=True)
    tiers = zip(sorted(thresholds), falling, strict=True)
    return PriceSchedule(solo_price, tuple(Tier(participants, unit_price) for participants, unit_price in tiers))


@st.composite
def offers(draw: st.DrawFn, grouping: Grouping | None = None, *, since: datetime = NOON) -> Offer:
    """Any small valid offer whose window begins about `since`."""
    schedule = draw(schedules())
    lifetime_s = draw(st.integers(5, 60))
    starts_at = draw(st.none() | st.integers(0, 15).map(lambda seconds: since + timedelta(seconds=seconds)))
    open_s = draw(st.none() | st.integers(0, 90))
    window = None if open_s is None else timedelta(seconds=lifetime_s + open_s)
    return offer(
        schedule=schedule,
        grouping=grouping or draw(st.sampled_from(Grouping)),
        group_size_max=draw(st.integers(max(2, schedule.tiers[-1].participants), GROUP_SIZE_MAX)),
        group_lifetime_s=lifetime_s,
        starts_at=starts_at,
        ends_at=None if window is None else (starts_at or since) + window,
        units_per_shopper_max=draw(st.none() | st.integers(1, 4)),
        guests_may_buy=draw(st.booleans()),
    )


@st.composite
def edits(draw: st.DrawFn) -> dict[str, object]:
    """Some fields of one offer put over another's: what comes of it may be wrong."""
    other = draw(offers())
    fields = (
        "schedule",
        "group_size_max",
        "group_lifetime_s",
        "ends_at",
        "units_per_shopper_max",
        "starts_at",
        "grouping",
    )
    chosen = draw(st.sets(st.sampled_from(fields), min_size=1, max_size=3))
    return {field: getattr(other, field) for field in sorted(chosen)}

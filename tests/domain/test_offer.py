"""What a merchant may say in a deal: wrong values cannot be built, and each wrong field is named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import FieldProblems, InvalidInput
from domain.groupbuy.deal import QUANTITY_MAX, STOCK_MAX, VARIANTS_MAX, Variant, check_variants
from domain.groupbuy.text import check_image_url, check_line, check_text, is_clean
from domain.pricing.schedule import PARTICIPANTS_MAX
from tests.domain.catalogue import BLUE, DEAL, INSTANT, NOON, RED, Scene, offer, schedule, wrong_fields

DAY = timedelta(days=1)
MONTH_S = 30 * 24 * 3600
BAD_TEXTS = ["a\x00b", "\x00", "\ud800", "ok \udfff", "bell\x07", "\x7f"]
BAD_URLS = [
    "",
    "kettle.png",
    "/kettle.png",
    "//example.com/a.png",
    "ftp://example.com/a.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "http://",
    "http:///a.png",
    "http://[::1",
    "https://exa mple.com/",
    "https://example.com/\n",
    "https://example.com/\x00",
    "https://example.com/\ud800",
    "https://" + "a" * 2_048,
]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", text) for text in ["", "   ", "x" * 201, *BAD_TEXTS]),
        *(("description", text) for text in ["x" * 5_001, *BAD_TEXTS]),
        *(("image_url", url) for url in BAD_URLS),
        *(("currency", code) for code in ["", "eur", "EURO", "ZZZ"]),
        *(("group_size_max", size) for size in [-1, 0, 1, 3, PARTICIPANTS_MAX + 1]),
        *(("group_lifetime_s", seconds) for seconds in [-1, 0, MONTH_S + 1]),
        *(("units_per_shopper_max", units) for units in [-1, 0, QUANTITY_MAX + 1]),
        *((field, NOON.replace(year=year)) for field in ("starts_at", "ends_at") for year in (1, 1999, 3000, 9999)),
        ("starts_at", NOON.replace(tzinfo=None)),
        ("ends_at", NOON.replace(tzinfo=None)),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """An offer with one wrong field is refused for that field and no other."""
    with pytest.raises(InvalidInput) as refused:
        offer(**{field: value})
    assert wrong_fields(refused.value) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 200),
        ("title", " Kettle with spaces "),
        ("title", "水壶 🫖"),
        ("description", "x" * 5_000),
        ("image_url", "HTTPS://EXAMPLE.com:8443/a%20b.png?x=1"),
        ("currency", "JPY"),
        ("group_size_max", PARTICIPANTS_MAX),
        ("ends_at", NOON.replace(year=2000)),
        ("starts_at", NOON.replace(year=2999)),
        ("group_lifetime_s", 1),
        ("group_lifetime_s", MONTH_S),
        ("units_per_shopper_max", 1),
        ("units_per_shopper_max", QUANTITY_MAX),
    ],
)
def test_the_bounds_themselves_are_allowed(field: str, value: object) -> None:
    """A value at its bound makes an offer."""
    assert getattr(offer(**{field: value}), field) == value


def test_every_wrong_field_is_named_at_once() -> None:
    """A form with several mistakes is answered with all of them."""
    with pytest.raises(InvalidInput) as refused:
        offer(title="", currency="x", image_url="x", group_lifetime_s=0, units_per_shopper_max=0)
    assert wrong_fields(refused.value) == [
        "title",
        "image_url",
        "currency",
        "group_lifetime_s",
        "units_per_shopper_max",
    ]


def test_the_last_tier_is_within_the_group() -> None:
    """A tier above `group_size_max` could never be reached; one exactly at it can."""
    prices = schedule(1_000, (2, 900), (5, 800))
    assert offer(schedule=prices, group_size_max=5).schedule is prices
    with pytest.raises(InvalidInput) as refused:
        offer(schedule=prices, group_size_max=4)
    assert wrong_fields(refused.value) == ["group_size_max"]


@pytest.mark.parametrize("length", [timedelta(0), -INSTANT, -DAY])
def test_a_window_ends_after_it_starts(length: timedelta) -> None:
    """A window backwards, or of no length, is refused."""
    with pytest.raises(InvalidInput) as refused:
        offer(starts_at=NOON, ends_at=NOON + length)
    assert wrong_fields(refused.value) == ["ends_at"]


def test_a_window_holds_a_whole_lifetime() -> None:
    """No group outlives its deal, so a window shorter than one lifetime is refused; one as long is not."""
    offer(starts_at=NOON, ends_at=NOON + DAY, group_lifetime_s=24 * 3600)
    with pytest.raises(InvalidInput) as refused:
        offer(starts_at=NOON, ends_at=NOON + DAY - INSTANT, group_lifetime_s=24 * 3600)
    assert wrong_fields(refused.value) == ["group_lifetime_s"]


@pytest.mark.parametrize("year", [2000, 2999])
def test_every_window_has_a_last_opening(year: int) -> None:
    """However early or late a window is, its deadlines and last opening are moments of the calendar."""
    scene = Scene()
    ends_at = datetime(year, 1, 1, tzinfo=UTC)
    scene.draft(ends_at=ends_at, group_lifetime_s=MONTH_S)
    assert scene.world.deals[DEAL].last_opening_at == ends_at - 30 * DAY


def test_a_window_is_compared_across_time_zones() -> None:
    """Later on the wall clock of another zone may be earlier in truth."""
    in_china = datetime(2026, 3, 1, 19, tzinfo=timezone(timedelta(hours=8)))
    with pytest.raises(InvalidInput) as refused:
        offer(starts_at=NOON, ends_at=in_china)
    assert wrong_fields(refused.value) == ["ends_at"]


@pytest.mark.parametrize(
    ("variants", "fields"),
    [
        ([], ["variants"]),
        ([Variant(UUID(int=n + 1), f"Size {n}", None, 1) for n in range(VARIANTS_MAX + 1)], ["variants"]),
        ([replace(RED, title="")], ["variants[0].title"]),
        ([replace(RED, title="x" * 101)], ["variants[0].title"]),
        ([RED, replace(BLUE, title="a\x00")], ["variants[1].title"]),
        ([RED, replace(BLUE, title=RED.title)], ["variants[1].title"]),
        ([replace(RED, image_url="nowhere")], ["variants[0].image_url"]),
        ([replace(RED, stock=-1)], ["variants[0].stock"]),
        ([RED, replace(BLUE, stock=STOCK_MAX + 1)], ["variants[1].stock"]),
    ],
)
def test_a_wrong_variant_is_named(variants: list[Variant], fields: list[str]) -> None:
    """Each wrong field of a variant is refused by its place in the list."""
    with pytest.raises(InvalidInput) as refused:
        check_variants(tuple(variants))
    assert wrong_fields(refused.value) == fields


def test_a_variant_may_be_sold_out_from_the_start() -> None:
    """A stock of none, and one at the bound, are stocks."""
    check_variants((replace(RED, stock=0), replace(BLUE, stock=STOCK_MAX)))


@given(st.text(alphabet=st.characters(), max_size=20))
def test_clean_text_can_be_stored(text: str) -> None:
    """Whatever passes can be written as UTF-8 without a NUL, as PostgreSQL wants it."""
    if is_clean(text):
        assert b"\x00" not in text.encode()


@given(st.text(alphabet="ht:/ps.[]@#?%\\ \x00\ud800é1a", max_size=30).map(lambda tail: "http://" + tail))
def test_no_address_makes_the_check_fall_over(url: str) -> None:
    """Whatever is given as an address is taken or named, never an error of ours."""
    problems = FieldProblems()
    check_image_url(problems, "image_url", url)
    check_text(problems, "title", url, 1, 10)


@pytest.mark.parametrize(
    "text",
    [
        *("\u200b", "\ufeff \u200d", "two\nlines", "a\u202eb", "a\u2066b", "\u2028", "\U000e0001"),
        *("\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u115f\u1160", "\u3164 \u2800"),  # fillers and a blank
        *("\u034f", "\u061c", "\u17b4", "\u180e", "\u2065", "\ufe0f", "\ufff9", "\U0001d159", "\U0001d173"),
    ],
)
def test_a_line_shows_something_and_turns_nothing(text: str) -> None:
    """A title, channel or name stands among others: one line, visible, and it leaves the others' writing alone."""
    problems = FieldProblems()
    check_line(problems, "title", text, 1, 60)
    with pytest.raises(InvalidInput):
        problems.raise_if_any()


@pytest.mark.parametrize("text", ["مریم\u200cپور", "👩\u200d👩\u200d👧", "Zoë", "王小明", "a b", "❤\ufe0f", "ㅤ김", "⠓⠊"])
def test_a_line_may_be_a_real_name(text: str) -> None:
    """Joiners inside names and emoji are no reason to refuse them."""
    problems = FieldProblems()
    check_line(problems, "title", text, 1, 60)
    problems.raise_if_any()

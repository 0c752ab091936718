"""The panel of `tuan demo` at its turning points, on a clock of the test's own."""

import msgspec
import pytest
from rich.console import Console

from cli.demo.panel import panel
from cli.demo.scene import Deal, Group, Scene, Settling, Tier

NAMES = ["Lin", "Mateo", "Aisha", "Noah"]
TIERS = (Tier(2, 900), Tier(3, 800), Tier(4, 700))


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scene(clock: Clock) -> Scene:
    deal = Deal("d", "Coffee set", "USD", 1000, TIERS, 4, 30)
    return Scene(deal, {"Lin": None} | dict.fromkeys(NAMES[1:], "Lin"), clock, opened_at=clock.now_s)


def group(participants: int, status: str = "open") -> Group:
    price = next((tier.unit_price for tier in reversed(TIERS) if tier.participants <= participants), 900)
    left = 4 - participants if status == "open" else 0
    return Group("g", status, participants, left, price, 900, tipped=participants >= 2, version=participants)


def drawn(scene: Scene) -> str:
    console = Console(width=80, height=24, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(panel(scene))
    return capture.get()


def test_before_the_first_tier_it_says_how_many_are_missing(scene: Scene) -> None:
    """A group of one is no success yet: the panel says what one more brings."""
    scene.take(group(1), NAMES[:1])

    shown = drawn(scene)
    assert "10.00 USD alone" in shown
    assert "1 more and it is 9.00 for everybody" in shown
    assert "3 places left" in shown


def test_the_price_falls_with_those_who_come(scene: Scene, clock: Clock) -> None:
    """Each tier reached moves the mark down the ladder, and the one who reached it is named with the new price."""
    scene.take(group(2), NAMES[:2])
    clock.now_s += 12
    scene.take(group(3), NAMES[:3])

    shown = drawn(scene)
    assert "8.00 USD" in shown
    assert "-20 %" in shown
    assert "▶ with  3" in shown
    assert "12.0 s  Aisha" in shown
    assert "▼ 8.00 for everybody" in shown
    assert "ONE place left" in shown
    assert " 18 s" in shown


def test_several_who_come_between_two_looks_are_all_told(scene: Scene) -> None:
    """The stream skips states that are old already: nobody is forgotten, and the price belongs to the last."""
    arrivals = scene.take(group(1), NAMES[:1]) + scene.take(group(4, "succeeded"), NAMES)

    assert [arrival.name for arrival in arrivals] == NAMES
    assert [arrival.new_price for arrival in arrivals] == [None, None, None, 700]


def test_an_older_state_changes_nothing(scene: Scene) -> None:
    """After a broken connection an older state may come again: the price on the screen never rises."""
    scene.take(group(3), NAMES[:3])

    assert scene.take(group(2), NAMES[:2]) == []
    assert "8.00 USD" in drawn(scene)


def test_a_closed_group_stops_the_clock(scene: Scene, clock: Clock) -> None:
    """From the closing on nothing counts down."""
    clock.now_s += 20
    scene.take(group(4, "succeeded"), NAMES)
    clock.now_s += 5

    shown = drawn(scene)
    assert "succeeded after 20.0 s" in shown
    assert "all 4 places taken" in shown


def test_after_the_closing_it_tells_how_far_the_money_is(scene: Scene) -> None:
    """Money is taken after the closing: the panel counts the payments that have come to their end."""
    closed = group(4, "succeeded")
    scene.take(closed, NAMES)
    scene.take(msgspec.structs.replace(closed, version=9, settling=Settling(3, 4)), NAMES)

    assert "money settled: 3 of 4" in drawn(scene)


def test_every_state_fits_a_small_terminal(scene: Scene) -> None:
    """80 columns and 24 lines hold it at every count."""
    for count in range(1, 5):
        scene.take(group(count, "open" if count < 4 else "succeeded"), NAMES[:count])
        lines = drawn(scene).splitlines()
        assert len(lines) <= 23
        assert max(map(len, lines)) <= 80

"""Where the scene is shown: a live panel on a terminal, a line per change anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from cli.demo.panel import panel
from cli.demo.scene import Arrival, Group, Scene, Take

REFRESHES_PER_S = 10


@contextmanager
def stage(console: Console, scene: Scene) -> Iterator[Take]:
    """Show the scene while it changes; what it gives takes in each new state."""
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(
            get_renderable=lambda: panel(scene), console=console, refresh_per_second=REFRESHES_PER_S, transient=True
        ):
            yield scene.take
    else:
        console.print(_introduction(scene))

        def take(group: Group, names: list[str]) -> list[Arrival]:
            new = scene.take(group, names)
            for arrival in new:
                console.print(_line(scene, arrival))
            return new

        yield take


def _introduction(scene: Scene) -> str:
    deal = scene.deal
    steps = ", ".join(f"{scene.money(tier.unit_price)} with {tier.participants}" for tier in deal.tiers)
    return f"{deal.title}: {scene.money(deal.solo_price)} {deal.currency} alone; for everybody {steps}."


def _line(scene: Scene, arrival: Arrival) -> str:
    did = f"joined by {arrival.invited_by}'s link" if arrival.invited_by else "opened the group"
    size = scene.deal.group_size_max
    price = f", now {scene.money(arrival.new_price)} for everybody" if arrival.new_price is not None else ""
    return f"{arrival.at_s:5.1f} s  {arrival.name} {did}: {arrival.participants} of {size} in{price}"

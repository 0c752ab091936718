"""The demonstration on a terminal: one panel that fits 80 columns and 24 lines, redrawn a few times a second."""

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.demo.scene import Arrival, Group, Scene, Tier

WIDTH = 76
LADDER_BAR_WIDTH = 34
COUNTDOWN_WIDTH = 44
ARRIVALS_SHOWN = 5
FLASH_S = 1.2
HURRY_S = 8


def panel(scene: Scene) -> RenderableType:
    """The scene as it is now."""
    return Panel(
        Lines(
            _price(scene),
            Text(),
            _seats(scene),
            Text(),
            _ladder(scene),
            Text(),
            _arrivals(scene),
            Text(),
            _clock(scene),
        ),
        title=Text.assemble((" 团 ", "bold red"), (f"{scene.deal.title} ", "bold")),
        title_align="left",
        subtitle=Text(" live from the API "),
        subtitle_align="right",
        border_style="bright_black",
        box=box.ROUNDED,
        padding=(1, 3),
        width=WIDTH,
    )


def _price(scene: Scene) -> Text:
    deal, group = scene.deal, scene.group
    if group is None or not group.tipped:
        needed = deal.tiers[0].participants - (group.participants if group else 0)
        return Text.assemble(
            (f"{scene.money(deal.solo_price)} {deal.currency}", "bold"),
            " alone  ",
            (f"{needed} more and it is {scene.money(deal.tiers[0].unit_price)} for everybody", "yellow"),
        )
    just_fell = scene.clock() - scene.price_fell_at < FLASH_S
    saved_percent = 100 * (deal.solo_price - group.unit_price) // deal.solo_price
    return Text.assemble(
        (f" {scene.money(group.unit_price)} {deal.currency} ", "bold reverse green" if just_fell else "bold green"),
        " each  " if not just_fell else " ▼     ",
        (scene.money(deal.solo_price), "strike bright_black"),
        (f" alone   -{saved_percent} %", "green"),
    )


def _seats(scene: Scene) -> Text:
    taken = scene.group.participants if scene.group else 0
    left = scene.group.seats_left if scene.group else scene.deal.group_size_max
    size = scene.deal.group_size_max
    words = f"{left} places left" if left > 1 else "ONE place left" if left else f"all {size} places taken"
    return Text.assemble(
        ("● " * taken, "bold cyan"),
        ("○ " * (size - taken), "bright_black"),
        f"  {taken:>2} of {size}",
        (f"   {words}", "bold"),
    )


def _ladder(scene: Scene) -> RenderableType:
    """The price schedule as a staircase, the step one stands on marked."""
    table = Table.grid(padding=(0, 1))
    for justify in ("left", "right", "right", "left", "left"):
        table.add_column(justify=justify)
    solo = Tier(1, scene.deal.solo_price)
    present = _present_tier(scene)
    for tier in (solo, *scene.deal.tiers):
        table.add_row(*_step(scene, tier, present))
    return table


def _present_tier(scene: Scene) -> Tier | None:
    participants = scene.group.participants if scene.group else 0
    reached = [tier for tier in scene.deal.tiers if tier.participants <= participants]
    return reached[-1] if reached else None


def _step(scene: Scene, tier: Tier, present: Tier | None) -> tuple[Text, ...]:
    participants = scene.group.participants if scene.group else 0
    bar = "█" * round(LADDER_BAR_WIDTH * tier.unit_price / scene.deal.solo_price)
    if tier == present:
        mark, style, remark = "▶", "bold green", ""
    elif tier.participants <= participants:
        mark, style, remark = "✓" if tier.participants > 1 else " ", "bright_black", ""
    else:
        mark, style, remark = " ", "default", f"{tier.participants - participants} more"
    name = "alone" if tier.participants == 1 else f"with {tier.participants:>2}"
    bar_style = style if tier.participants <= participants else "blue"
    cells = ((mark, style), (name, style), (scene.money(tier.unit_price), style), (bar, bar_style), (remark, "yellow"))
    return tuple(Text(text, style=cell_style) for text, cell_style in cells)


def _arrivals(scene: Scene) -> RenderableType:
    shown = scene.arrivals[-ARRIVALS_SHOWN:]
    lines = [_arrival(scene, arrival, newest=arrival is shown[-1]) for arrival in shown]
    return Lines(*lines, *[Text()] * (ARRIVALS_SHOWN - len(lines)))


def _arrival(scene: Scene, arrival: Arrival, *, newest: bool) -> Text:
    style = "bold" if newest else "bright_black"
    did = f"came by {arrival.invited_by}'s link" if arrival.invited_by else "opened the group and shares the link"
    line = Text.assemble(
        (f"{arrival.at_s:5.1f} s  ", "bright_black"), (f"{arrival.name:<7}", style), (f" {did}", style)
    )
    if arrival.new_price is not None:
        line.append(f"  ▼ {scene.money(arrival.new_price)} for everybody", "green" if newest else "bright_black")
    return line


def _settling(group: Group) -> str:
    settling = group.settling
    return "" if settling is None else f"   money settled: {settling.settled} of {settling.payments}"


def _clock(scene: Scene) -> Text:
    left_s = scene.seconds_left
    if scene.group is not None and scene.group.status != "open":
        closed = Text(f"{scene.group.status} after {scene.elapsed_s:.1f} s", style="bold green")
        return closed.append(_settling(scene.group), style="green")
    full = round(COUNTDOWN_WIDTH * left_s / scene.deal.group_lifetime_s)
    style = "bold red" if left_s < HURRY_S else "cyan"
    return Text.assemble(
        "closes in ",
        ("━" * full, style),
        ("─" * (COUNTDOWN_WIDTH - full), "bright_black"),
        (f" {left_s:4.0f} s", style),
    )

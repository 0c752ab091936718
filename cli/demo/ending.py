"""How the demonstration ends: what everybody pays, out of each one's own answer from the API."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.demo.scene import Receipt, Scene


def show_ending(console: Console, scene: Scene, receipts: Sequence[Receipt], group_address: str) -> None:
    """Print the closing, a row for each shopper, what they saved together, and where to look further."""
    console.print()
    console.print(_closing(scene))
    console.print(_table(scene, receipts))
    saved = sum(scene.deal.solo_price - receipt.pays for receipt in receipts if receipt.pays)
    if saved:
        together = f"{scene.money(saved)} {scene.deal.currency}"
        console.print(Text.assemble("  Together they saved ", (together, "bold green"), "."))
    console.print(Text(f"  Look yourself: curl -s {group_address}", style="bright_black"), soft_wrap=True)


def _closing(scene: Scene) -> Text:
    group = scene.group
    if group is None or group.status != "succeeded":
        status = group.status if group else "never opened"
        return Text(f"  The group {status}: too few came in time, so nobody pays anything.", style="yellow")
    is_full = group.participants == scene.deal.group_size_max
    how = f"full with {scene.seconds_left:.0f} s to go" if is_full else "its time is up"
    return Text.assemble(("  ✓ The group succeeded", "bold green"), f", {how}: everybody pays the lowest price.")


def _table(scene: Scene, receipts: Sequence[Receipt]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, header_style="bold")
    table.add_column("shopper", min_width=10)
    for name in ("came at", "held then", "pays", "saves"):
        table.add_column(name, justify="right", min_width=10)
    for arrival, receipt in zip(scene.arrivals, receipts, strict=True):
        saves = scene.deal.solo_price - receipt.pays if receipt.pays else 0
        table.add_row(
            receipt.name,
            f"{arrival.at_s:.1f} s",
            scene.money(receipt.held),
            Text(scene.money(receipt.pays), style="bold green"),
            scene.money(saves),
        )
    return table

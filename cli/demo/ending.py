"""How the demonstration ends: what everybody pays, out of each one's own answer from the API."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.demo.scene import Receipt, Scene


def show_ending(console: Console, scene: Scene, receipts: Sequence[Receipt], group_address: str) -> None:
    """Print the closing, a row for each shopper, what came of it all together, and where to look further."""
    console.print()
    console.print(_closing(scene))
    console.print(_table(scene, receipts))
    for line in _sums(scene, receipts):
        console.print(line)
    console.print(Text(f"  Look yourself: curl -s {group_address}", style="bright_black"), soft_wrap=True)
    page_address = group_address.replace("/v1/groups/", "/g/")
    console.print(Text(f"  In a browser:  {page_address}", style="bright_black"), soft_wrap=True)


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
    takes_money = any(receipt.taken is not None for receipt in receipts)
    for name in ("came at", "held then", "pays", *(["given back"] if takes_money else []), "saves"):
        table.add_column(name, justify="right", min_width=10)
    for arrival, receipt in zip(scene.arrivals, receipts, strict=True):
        given_back = scene.money(receipt.given_back) if receipt.taken is not None else "on its way"
        table.add_row(
            receipt.name,
            f"{arrival.at_s:.1f} s",
            scene.money(receipt.held),
            Text(scene.money(receipt.pays), style="bold green"),
            *([given_back] if takes_money else []),
            scene.money(scene.deal.solo_price - receipt.pays if receipt.pays else 0),
        )
    return table


def _sums(scene: Scene, receipts: Sequence[Receipt]) -> list[Text]:
    """What was taken of what was held, as each order says, and what all of them saved."""
    lines = []
    if settled := [receipt for receipt in receipts if receipt.taken is not None]:
        held = scene.money(sum(receipt.held for receipt in settled))
        taken = scene.money(sum(receipt.pays for receipt in settled))
        given_back = scene.money(sum(receipt.given_back for receipt in settled))
        lines.append(Text(f"  Of {held} {scene.deal.currency} held {taken} were taken and {given_back} given back."))
    saved = sum(scene.deal.solo_price - receipt.pays for receipt in receipts if receipt.pays)
    if saved:
        together = f"{scene.money(saved)} {scene.deal.currency}"
        lines.append(Text.assemble("  Together they saved ", (together, "bold green"), "."))
    return lines

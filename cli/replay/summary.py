"""What a replay came to, as tables for a person."""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from cli.replay.plan import CURRENCY
from cli.replay.run import Figures, Money, Replay, percentile
from domain.pricing.currency import format_minor

MISMATCHES_SHOWN = 10
_SPREAD = (("p50", 50), ("p99", 99), ("at most", 100))


def show_summary(console: Console, replay: Replay, *, finished: bool) -> None:
    """Print outcomes beside the log's own, the figures, and the first mismatches."""
    console.print()
    console.print(_outcomes(replay))
    console.print(_requests(replay.figures))
    for remark in _remarks(replay, finished=finished):
        console.print(remark, soft_wrap=True)
    for line, what in sorted(replay.mismatches.items())[:MISMATCHES_SHOWN]:
        console.print(f"  {replay.log[line].where}: {what}", highlight=False, markup=False, soft_wrap=True)
    for fault in replay.faults:
        console.print(f"  {fault}", highlight=False, markup=False, soft_wrap=True)


def _outcomes(replay: Replay) -> Table:
    expected = Counter(replay.fate(line).status for line in range(len(replay.log)))
    rows = (
        ("groups opened", len(replay.log), len(replay.group_ids)),
        ("friends joined", sum(len(group.friends) for group in replay.log), replay.joins),
        ("brought by a link", sum(len(group.friends) for group in replay.log), replay.brought),
        ("groups succeeded", expected["succeeded"], replay.outcomes["succeeded"]),
        ("groups failed", expected["failed"], replay.outcomes["failed"]),
    )
    table = _table("", "in the log", "in the API")
    for name, wanted, found in rows:
        table.add_row(name, f"{wanted:,}", f"{found:,}", style=None if wanted == found else "bold red")
    if replay.takes_money:
        due, taken = replay.due_minor, replay.figures.money.captured_minor
        shown = (format_minor(amount, CURRENCY) for amount in (due, taken))
        table.add_row("money taken", *shown, style=None if due == taken else "bold red")
    return table


def _requests(figures: Figures) -> Table:
    table = _table("request", "answered", "p50 ms", "p99 ms")
    for kind, seconds in figures.answers_s.items():
        p50, p99 = (f"{percentile(seconds, percent) * 1000:.1f}" for percent in (50, 99))
        table.add_row(kind, f"{len(seconds):,}", p50, p99)
    return table


def _remarks(replay: Replay, *, finished: bool) -> list[str]:
    figures = replay.figures
    phases = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in figures.phases_s.items())
    busy_s = sum(seconds for name, seconds in figures.phases_s.items() if name != "closings")
    rate = figures.requests / busy_s if busy_s else 0
    remarks = [f"{figures.requests:,} requests, {rate:,.0f} a second; {replay.client.retries:,} repeated ({phases})"]
    if figures.lateness_s:
        remarks.append(f"closed after the deadline by: {_spread(figures.lateness_s)}")
    if figures.money.captures:
        remarks.append(_captures(figures.money))
    if replay.takes_money is False:
        remarks.append("The deals of this API take no money, so there was none to follow.")
    remarks.append(f"mismatches: {len(replay.mismatches) + len(replay.faults):,}")
    if not finished:
        remarks.append("Interrupted: the rest was neither played nor checked.")
    return remarks


def _captures(money: Money) -> str:
    busiest = max(money.captures_by_second.values())
    return (
        f"{money.captures:,} payments captured, {busiest:,} in the busiest second;"
        f" after the closing by: {_spread(money.delays_s)}"
    )


def _spread(seconds: Sequence[float]) -> str:
    return ", ".join(f"{name} {percentile(seconds, percent):.2f} s" for name, percent in _SPREAD)


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, min_width=17)
    for name in others:
        table.add_column(name, justify="right", min_width=10)
    return table

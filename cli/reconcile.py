"""`tuan reconcile`: compare payment gateways, payments and ledger, mend what is certain, name the rest."""

import argparse
import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.commands import Commands, add_command, counted
from cli.reach import reach_migrated_database
from infra.logging import set_up_logging
from infra.settings import Settings

if TYPE_CHECKING:
    from workers.balancing.balance import Balance
    from workers.balancing.difference import Outcome

DIFFERENCES_REMAIN = 1
COULD_NOT_LOOK = 2
TELL_EVERY = 5_000
WIDTH_OF_NO_TERMINAL = 240
NARROW = 150
"""On a terminal of fewer columns a table would cut ids short, which one has to copy."""


def register(commands: Commands) -> None:
    parser = add_command(commands, "reconcile", "compare gateways and ledger, repair what is certain", execute)
    parser.add_argument("--dry-run", action="store_true", help="only name the differences")
    parser.add_argument(
        "--since",
        type=_moment,
        metavar="WHEN",
        help="compare what changed since, such as 2026-07-31 or 2026-07-31T08:00+02:00 (UTC where no zone is said);"
        " else since the last run that left no difference",
    )


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when no difference remains, 1 while any does, 2 when it could not look."""
    from workers.duty import is_server_gone

    reach_migrated_database(settings)
    set_up_logging(replace(settings, log_level="error"))  # what it does is told in the table
    try:
        found = asyncio.run(_reconcile(settings, arguments))
    except Exception as error:
        if not is_server_gone(error):
            raise
        why = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        print(f"tuan: The comparison was not finished: {why} Run `tuan reconcile` again.", file=sys.stderr)
        return COULD_NOT_LOOK
    _show(found, is_dry=arguments.dry_run)
    return DIFFERENCES_REMAIN if found.remaining else 0


async def _reconcile(settings: Settings, arguments: argparse.Namespace) -> "Balance":
    from infra.runtime import started
    from workers.balancing.balance import balance

    async with started(settings, "tuan reconcile") as runtime:
        return await balance(runtime, since=arguments.since, is_dry=arguments.dry_run, on_progress=_Progress().tell)


class _Progress:
    """A line now and then for long work, and none for short."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def tell(self, what: str, done: int) -> None:
        if done - self._told.get(what, 0) >= TELL_EVERY:
            self._told[what] = done
            print(f"{done:,} {what} compared", flush=True)


def _show(found: "Balance", *, is_dry: bool) -> None:
    if found.named:
        _show_table(found, is_dry=is_dry)
    unnamed = found.found - len(found.named)
    if unnamed:
        print(f"... and {unnamed:,} more.")
    things = (("payment", found.payments), ("order", found.orders), ("group", found.groups))
    compared = "Compared {} of gateways, {} and {}".format(*(counted(number, thing) for thing, number in things))
    differences = counted(found.found, "difference")
    if not found.found:
        print(f"{compared}: no differences.")
    elif is_dry:
        print(f"{compared}: {differences}; nothing was repaired.")
    else:
        print(f"{compared}: {differences}, {found.found - found.remaining:,} repaired, {found.remaining:,} left.")


def _show_table(found: "Balance", *, is_dry: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_NO_TERMINAL
    rows = [_row(outcome, is_dry=is_dry) for outcome in found.named]
    if console.width < NARROW:
        for what, names, theirs, ours, to_do in rows:
            print(f"{what}: {theirs}; we say {ours}", *names.split("\n"), to_do, sep="\n    ", end="\n\n")
        return
    table = Table("what", "of", "gateway, or counted", "we say", "what to do", show_lines=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _row(outcome: "Outcome", *, is_dry: bool) -> tuple[str, str, str, str, str]:
    difference = outcome.difference
    names = {"order": difference.order_id, "group": difference.group_id, "at": difference.reference}
    return (
        difference.what,
        "\n".join(f"{name} {value}" for name, value in names.items() if value),
        f"{difference.gateway}: {difference.theirs}" if difference.gateway else difference.theirs,
        difference.ours,
        _outcome(outcome, is_dry=is_dry),
    )


def _outcome(outcome: "Outcome", *, is_dry: bool) -> str:
    if outcome.is_repaired:
        return "repaired"
    if is_dry and outcome.difference.repair != "none":
        return "nothing: a run without --dry-run repairs it"
    return outcome.difference.advice


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-07-31 or 2026-07-31T08:00+02:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""`tuan settlements`: money that could not be captured, released or refunded yet, and how to try again."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.commands import Commands, add_command, identifier
from cli.reach import ask_database
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.payments.unsettled import Unsettled

WAITING = 1
"""The exit status while something waits for a person."""
NOT_DEAD = 1
NOTHING_NAMED = 2
_HEADINGS = ("WHAT", "ID", "GROUP", "AMOUNT", "STATE", "TRIES", "SINCE", "LAST ERROR")
_MEANING = "list settlements and refunds that gateways did not carry out; exit status 1 while there are any"


def register(commands: Commands) -> None:
    parser = add_command(commands, "settlements", _MEANING, execute)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    meaning = "try dead ones again"
    again = actions.add_parser("retry", help=meaning, description=meaning.capitalize() + ".")
    again.add_argument(
        "ids", nargs="*", type=identifier, metavar="ID", help="of an order or a refund, as the list shows it"
    )
    again.add_argument("--all", action="store_true", help="every dead one")
    again.set_defaults(execute=retry)


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    """Exit status 1 while anything is listed."""
    from infra.payments.unsettled import unsettled

    found = ask_database(settings, unsettled)
    if arguments.json:
        _print_json(found)
    elif found:
        _print_table(found)
    else:
        print("Nothing waits for a person: what is decided is being carried out, or done.")
    return WAITING if found else 0


def retry(settings: Settings, arguments: argparse.Namespace) -> int:
    """Exit status 1 where an id is of nothing dead."""
    from infra.payments.unsettled import try_again

    if bool(arguments.ids) == arguments.all:
        print("tuan: name what to try again, or say --all; `tuan settlements` lists it.", file=sys.stderr)
        return NOTHING_NAMED
    back = ask_database(settings, lambda engine: try_again(engine, None if arguments.all else arguments.ids))
    missing = [found for found in arguments.ids if found not in back]
    for unknown in missing:
        print(f"tuan: {unknown} is no dead settlement or refund; `tuan settlements` lists them.", file=sys.stderr)
    print("The worker tries again now." if back else "Nothing was dead.")
    return NOT_DEAD if missing else 0


def _print_json(found: "Sequence[Unsettled]") -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def _print_table(found: "Sequence[Unsettled]") -> None:
    rows = [_HEADINGS, *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    dead = sum(one.status == "dead" for one in found)
    print(f"\n{dead} dead, {len(found) - dead} pending for long.", end=" ")
    if dead:
        print("Put right what is in the way, then: tuan settlements retry ID (or --all)")
    else:
        print("Is a worker at work, and the gateway up?")


def _cells(one: "Unsettled") -> tuple[str, ...]:
    from domain.pricing.currency import format_minor

    return (
        one.what,
        str(one.id),
        str(one.group_id or "-"),
        format_minor(one.amount, one.currency),
        one.status,
        str(one.attempts),
        _moment(one.since),
        one.last_error or "-",
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

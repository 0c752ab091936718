"""How a subcommand registers itself, reads its arguments and counts for a person."""

import argparse
from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from infra.settings import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  argparse names it nowhere else
Execute: TypeAlias = Callable[[Settings, argparse.Namespace], int]


def add_command(commands: Commands, name: str, meaning: str, execute: Execute) -> argparse.ArgumentParser:
    """`execute` returns the exit status."""
    parser = commands.add_parser(name, help=meaning, description=meaning[0].upper() + meaning[1:] + ".")
    parser.set_defaults(execute=execute)
    return parser


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """What reads an argument that must lie within these bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def identifier(text: str) -> UUID:
    """Reads an argument that names something by its id."""
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a UUID") from error


def counted(number: int, thing: str) -> str:
    """`1 group`, `2,000 groups`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"

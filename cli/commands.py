"""How a subcommand registers itself and reads its numbers."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

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

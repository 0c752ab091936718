"""How a subcommand registers itself."""

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

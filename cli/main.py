"""The command `tuan`: one module per subcommand; what the caller can put right is one line and exit status 2."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata

from cli import (
    admin,
    cancel_group,
    demo,
    keys,
    merchants,
    migrate,
    reconcile,
    replay,
    run,
    serve,
    settlements,
    token,
    worker,
)
from infra.cannot_start import CannotStart
from infra.settings import read_settings

# In the order of `tuan --help`. Each module has `register(commands)`, which sets `execute(settings, arguments)`.
COMMANDS = (
    run,
    serve,
    worker,
    migrate,
    token,
    keys,
    settlements,
    reconcile,
    merchants,
    admin,
    cancel_group,
    demo,
    replay,
)

CANNOT_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status; prints no stack trace for what an operator did or can put right."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.execute(read_settings(), parsed))
    except CannotStart as reason:
        print(f"tuan: {reason}", file=sys.stderr)
        return CANNOT_START
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # `tuan token --count 100000 | head`: nobody reads on, and the interpreter must not try to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tuan",
        description="Group buying: the price drops as people join, and everybody pays the lowest.",
        epilog="Settings are environment variables; the README lists them.",
    )
    parser.add_argument("--version", action="version", version=f"tuan {metadata.version('tuan')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

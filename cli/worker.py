"""`tuan worker`: closes due groups, moves the money, relays the outbox, keeps the counters right."""

import argparse
import sys

from cli.commands import Commands, add_command
from cli.lifeline import add_lifeline, hold_lifeline
from cli.reach import reach_migrated_database, redis_trouble
from infra.logging import set_up_logging
from infra.settings import Settings


def register(commands: Commands) -> None:
    add_lifeline(add_command(commands, "worker", "close due groups, move the money, keep the counters right", execute))


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    from workers.main import run

    reach_migrated_database(settings)
    trouble = redis_trouble(settings)
    if trouble:
        print(f"tuan: {trouble}; the worker goes on without it until it is back.", file=sys.stderr)
    set_up_logging(settings)
    hold_lifeline(arguments.lifeline, settings.stop_timeout_s)
    run(settings)
    return 0

"""`tuan replay`: a real group-buying log played through the API of a running server, and every outcome checked."""

import argparse
import asyncio
import signal
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.commands import Commands, add_command, whole_number
from cli.probe import own_address
from infra.settings import Settings

if TYPE_CHECKING:
    from cli.replay.log import LoggedGroup

CONCURRENCY = 64
CONCURRENCY_MAX = 1000
GROUP_LIFETIME_S = 30
GROUP_LIFETIME_S_MAX = 24 * 3600
LINES_MAX = 10**9


def register(commands: Commands) -> None:
    parser = add_command(commands, "replay", "play a group-buying log through a running API and check it", execute)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="initiator TAB item [TAB participant ...]")
    parser.add_argument("--url", help="the API's address (the one of this machine's settings)")
    parser.add_argument(
        "--limit", type=whole_number(1, LINES_MAX), metavar="N", help="only the first N lines of each file"
    )
    parser.add_argument(
        "--concurrency",
        type=whole_number(1, CONCURRENCY_MAX),
        default=CONCURRENCY,
        metavar="N",
        help=f"requests on their way at the same time ({CONCURRENCY})",
    )
    parser.add_argument(
        "--lifetime",
        type=whole_number(1, GROUP_LIFETIME_S_MAX),
        default=GROUP_LIFETIME_S,
        metavar="SECONDS",
        help=f"how long a group stays open for its friends ({GROUP_LIFETIME_S})",
    )


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when every outcome is as the log says, 1 on any mismatch, 130 when interrupted."""
    import uvloop

    from cli.replay.log import read_logs

    log = read_logs(arguments.files, arguments.limit)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_replay(settings, arguments, log))


async def _replay(settings: Settings, arguments: argparse.Namespace, log: Sequence["LoggedGroup"]) -> int:
    from rich.console import Console

    from cli.api_client import Address, ApiClient
    from cli.replay.cast import Cast
    from cli.replay.plan import items_of
    from cli.replay.run import Figures, Replay
    from cli.replay.screen import Screen
    from cli.replay.stages import perform
    from cli.replay.summary import show_summary

    figures = Figures()
    client = ApiClient(Address.read(arguments.url or own_address(settings)), figures.note_answer)
    cast = Cast(settings, uuid.uuid4())
    replay = Replay(log, items_of(log), client, cast, arguments.lifetime, arguments.concurrency, figures)
    console = Console(highlight=False)
    finished = False
    await client.reach()
    console.print(f"Replaying {len(log):,} groups of {len(replay.items):,} items through {client.address.text}")
    try:
        await perform(replay, Screen(console))
        finished = True
    except asyncio.CancelledError:
        return 128 + signal.SIGINT  # Ctrl-C
    finally:
        show_summary(console, replay, finished=finished)
        await client.close()
    return 0 if replay.is_right else 1

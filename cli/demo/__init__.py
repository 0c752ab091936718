"""`tuan demo`: watch a dozen friends make a price fall, live from a running API."""

import argparse
import asyncio
import signal
from typing import TYPE_CHECKING

from cli.commands import Commands, add_command
from cli.probe import own_address
from infra.settings import Settings

if TYPE_CHECKING:
    from cli.api_client import ApiClient

FAST_PACE = 0.04
APPLAUSE_S = 2.5


def register(commands: Commands) -> None:
    parser = add_command(commands, "demo", "watch a dozen shoppers make a price fall, live", execute)
    parser.add_argument("--url", help="the API's address (the one of this machine's settings)")
    parser.add_argument("--fast", action="store_true", help="without the pauses of people who think")


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when the group succeeded."""
    from cli.api_client import Address, ApiClient

    client = ApiClient(Address.read(arguments.url or own_address(settings)))
    return asyncio.run(_demonstrate(settings, client, FAST_PACE if arguments.fast else 1))


async def _demonstrate(settings: Settings, client: "ApiClient", pace: float) -> int:
    from rich.console import Console

    from cli.api_client import ApiRefused
    from cli.crew import side_by_side
    from cli.demo.ending import show_ending
    from cli.demo.stage import stage
    from cli.demo.story import NotShown, Story

    console = Console(highlight=False)
    story = Story(settings, client, pace)
    try:
        await client.reach()
        scene = await story.put_up_deal()
        with stage(console, scene) as take:
            group_id = await story.open_group(scene, take)
            await side_by_side(story.watch(group_id, take), story.let_friends_join(group_id))
            await story.watch_money(group_id, take)
            await asyncio.sleep(APPLAUSE_S * pace)
        address = f"{client.address.text}/v1/groups/{group_id}"
        show_ending(console, scene, await story.receipts(scene, group_id), address)
    except ApiRefused as refusal:
        raise NotShown(f"{client.address.text} refuses what the demo needs: {refusal}{refusal.hint}.") from refusal
    except asyncio.CancelledError:  # Ctrl-C
        console.print("Stopped watching. The group runs on without us and closes by itself.")
        return 128 + signal.SIGINT
    finally:
        await client.close()
    return 0 if scene.group is not None and scene.group.status == "succeeded" else 1

"""The stages of a replay: deals, groups, the wait for the last deadline, the checks, the trees, and the money."""

import asyncio

from cli.replay.check import check_outcomes
from cli.replay.money import check_money, check_statement
from cli.replay.play import play_groups, put_up_deals
from cli.replay.run import Replay
from cli.replay.screen import Screen
from cli.replay.trees import check_trees


async def perform(replay: Replay, screen: Screen) -> None:
    """Play and check all of it."""
    figures = replay.figures
    with figures.phase("deals"), screen.phase("deals", len(replay.items)) as advance:
        await put_up_deals(replay, advance)
    with figures.phase("groups"), screen.phase("groups", len(replay.log)) as advance:
        await play_groups(replay, advance)
    if any(not replay.fate(line).full for line in range(len(replay.log))):
        # A second at a time by our own clock: whoever opened last has had its whole lifetime then.
        with figures.phase("closings"), screen.phase("closings", replay.group_lifetime_s) as advance:
            for _ in range(replay.group_lifetime_s):
                await asyncio.sleep(1)
                advance()
    with figures.phase("checks"), screen.phase("checks", len(replay.lines_of)) as advance:
        await check_outcomes(replay, advance)
    if replay.joins:
        looks = len(replay.shared_lines) + len(replay.shared_lines_of)
        with figures.phase("trees"), screen.phase("trees", looks) as advance:
            await check_trees(replay, advance)
    if replay.takes_money:
        with figures.phase("money"), screen.phase("money", len(replay.lines_of)) as advance:
            await check_money(replay, advance)
            await check_statement(replay)

"""`tuan replay` when something is wrong, or when it is told to stop."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from cli.replay.plan import Item
from tests.cli.conftest import Serving
from tests.conftest import run_apart
from tests.waiting import eventually, until

LIMIT_S = 60
LONELY, DEARER, FORGOTTEN, MISCOUNTED = 41, 42, 43, 44
"""Items, each of one group: in the log nobody joins the first, and one friend each of the others."""
LINES = "31\t41\n32\t42\t33\n34\t43\t35\n36\t44\t37\n"

BEHIND_THE_API: Final = {
    LONELY: "UPDATE groups SET status = 'succeeded', closed_at = now(), closed_by = 'deadline'"
    " WHERE status = 'open' AND participants = 1 AND expires_at > now() AND {of_item}",
    DEARER: "UPDATE orders SET unit_price = unit_price + 1, captured_minor = captured_minor + 1"
    " WHERE id = (SELECT id FROM orders WHERE {of_item} LIMIT 1)",
    FORGOTTEN: "UPDATE participants SET invite_code = NULL WHERE invite_code IS NOT NULL AND {of_item}",
    MISCOUNTED: "UPDATE invites SET joins = joins + 1 WHERE joins = 1 AND {of_item}",
}
"""What no rule allows, done to one row of each item's deal, most pressing first."""


@contextmanager
def replaying(api: Serving, output: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A replay at work, its output in a file."""
    with output.open("wb") as file:
        command = [sys.executable, "-m", "cli.main", "replay", *arguments]
        process = subprocess.Popen(
            command,
            env=api.environment,
            stdout=file,
            stderr=file,
            preexec_fn=_hear_interrupts,  # noqa: PLW1509 - no thread is started here, and it only sets a signal
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _hear_interrupts() -> None:
    """As on a terminal, also where the tests themselves run in the background of a shell, which ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def shown(api: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a replay during which a row of each of its groups was changed behind the API's back."""
    folder = tmp_path_factory.mktemp("replay")
    log, output = folder / "log.tsv", folder / "output.txt"
    log.write_text(LINES)
    with replaying(api, output, "--lifetime", "4", str(log)) as process:
        run_apart(make_wrong(api.settings.database_url))
        status = process.wait(LIMIT_S)
    said = output.read_text()
    assert status == 1, said
    return said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (1, "shopper 31 sees: status succeeded, expected failed"),
        (2, rf"the order of shopper \d+ shows: captured {Item(DEARER).unit_price(2) + 1}, expected \d+"),
        (3, r"participant 2 and by whom is told as \('User 35', None\), expected \('User 35', 'User 34'\)"),
        (4, r"the initiator is told that the link led to \[Link\(group_id='', joins=2, succeeded=1, reached=2, .*"),
    ],
    ids=["another outcome", "a cent more", "put down to nobody", "a join too many"],
)
def test_what_the_log_does_not_know_is_a_mismatch(shown: str, line: int, told: str) -> None:
    """A group that fails, what somebody pays, who brought them and what came of a link: the line is named, and how."""
    assert re.search(rf"log.tsv:{line}: {told}", shown), shown


def test_totals_are_told_beside_those_of_the_log(shown: str) -> None:
    """Four lines and the merchant's statement are wrong; who was brought, and what was taken to the last cent."""
    assert "mismatches: 5" in shown
    assert re.search(r"brought by a link +3 +2", shown), shown
    due = 2 * sum(Item(item).unit_price(2) for item in (DEARER, FORGOTTEN, MISCOUNTED))
    captured = due + Item(LONELY).unit_price(2)
    assert re.search(rf"money taken +{due / 100:.2f} CNY +{(captured + 1) / 100:.2f} CNY", shown), shown
    assert f"merchant's statement says captured {{'CNY': {captured}}}, expected {{'CNY': {due}}}" in shown


def test_an_interrupted_replay_says_how_far_it_came(api: Serving, tmp_path: Path) -> None:
    """Ctrl-C while it waits for deadlines: the figures so far, no stack trace, and the exit status of an interrupt."""
    log, output = tmp_path / "log.tsv", tmp_path / "output.txt"
    log.write_text("51\t61\t52\n53\t61\n")
    with replaying(api, output, "--lifetime", "600", str(log)) as process:
        until(lambda: "groups: 2 of 2" in output.read_text(), f"groups played, but {output.read_text()}", LIMIT_S)
        process.send_signal(signal.SIGINT)
        status = process.wait(LIMIT_S)

    said = output.read_text()
    assert status == 128 + signal.SIGINT, said
    assert "Interrupted" in said
    assert "groups opened" in said
    assert "Traceback" not in said


async def make_wrong(database_url: str) -> None:
    """Do all of it, each as soon as the row is there."""
    connection = await asyncpg.connect(database_url)

    async def changed(statement: str) -> bool:
        return bool(await connection.execute(statement) == "UPDATE 1")

    try:
        for item, statement in BEHIND_THE_API.items():
            of_item = f"deal_id = (SELECT id FROM deals WHERE title = 'Item {item}')"
            await eventually(partial(changed, statement.format(of_item=of_item)), statement, LIMIT_S)
    finally:
        await connection.close()

"""`tuan replay` when something is wrong, or when it is told to stop."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.cli.conftest import Serving
from tests.conftest import run_apart
from tests.waiting import eventually, until

LIMIT_S = 60


@contextmanager
def replaying(api: Serving, output: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A replay at work, its output in a file."""
    with output.open("wb") as file:
        command = [sys.executable, "-m", "cli.main", "replay", *arguments]
        process = subprocess.Popen(command, env=api.environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def lonely(tmp_path: Path) -> Path:
    file = tmp_path / "lonely.tsv"
    file.write_text("31\t41\t32\n33\t41\n")
    return file


def test_an_outcome_the_log_does_not_know_is_a_mismatch(api: Serving, lonely: Path, tmp_path: Path) -> None:
    """A lonely group that the server turns into a success: exit status 1, and the line of the log is named."""
    output = tmp_path / "output.txt"
    with replaying(api, output, "--lifetime", "4", str(lonely)) as process:
        run_apart(make_the_open_group_succeed(api.settings.database_url))
        status = process.wait(LIMIT_S)

    shown = output.read_text()
    assert status == 1, shown
    assert "mismatches: 1" in shown
    assert "lonely.tsv:2: shopper 33 sees: status succeeded, expected failed" in shown


def test_an_interrupted_replay_says_how_far_it_came(api: Serving, lonely: Path, tmp_path: Path) -> None:
    """Ctrl-C while it waits for deadlines: the figures so far, no stack trace, and the exit status of an interrupt."""
    output = tmp_path / "output.txt"
    with replaying(api, output, "--lifetime", "600", str(lonely)) as process:
        until(lambda: "groups: 2 of 2" in output.read_text(), f"groups played, but {output.read_text()}", LIMIT_S)
        process.send_signal(signal.SIGINT)
        status = process.wait(LIMIT_S)

    shown = output.read_text()
    assert status == 128 + signal.SIGINT, shown
    assert "Interrupted" in shown
    assert "groups opened" in shown
    assert "Traceback" not in shown


async def make_the_open_group_succeed(database_url: str) -> None:
    """What no rule allows, done behind the API's back."""
    connection = await asyncpg.connect(database_url)
    try:

        async def changed() -> bool:
            answer = await connection.execute(
                "UPDATE groups SET status = 'succeeded', closed_at = now(), closed_by = 'deadline'"
                " WHERE status = 'open' AND participants = 1 AND expires_at > now()"
                " AND deal_id IN (SELECT deal_id FROM groups WHERE status = 'succeeded')"
            )
            return bool(answer == "UPDATE 1")

        await eventually(changed, "a lonely group to change", LIMIT_S)
    finally:
        await connection.close()

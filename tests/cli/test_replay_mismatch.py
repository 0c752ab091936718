"""`tuan replay` when something is wrong, or when it is told to stop."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from cli.replay.plan import Item
from tests.cli.conftest import Serving
from tests.conftest import run_apart
from tests.waiting import eventually, until

LIMIT_S = 60


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


@pytest.fixture
def lonely(tmp_path: Path) -> Path:
    file = tmp_path / "lonely.tsv"
    file.write_text("31\t41\t32\n33\t41\n")
    return file


def test_an_outcome_the_log_does_not_know_is_a_mismatch(api: Serving, lonely: Path, tmp_path: Path) -> None:
    """A lonely group that the server turns into a success: exit status 1, the line is named, and what came of it."""
    output = tmp_path / "output.txt"
    with replaying(api, output, "--lifetime", "4", str(lonely)) as process:
        run_apart(make_the_open_group_succeed(api.settings.database_url))
        status = process.wait(LIMIT_S)

    shown = output.read_text()
    assert status == 1, shown
    assert "mismatches: 2" in shown
    assert "lonely.tsv:2: shopper 33 sees: status succeeded, expected failed" in shown
    due = 2 * Item(41).unit_price(2)
    assert re.search(rf"merchant's statement says captured .'CNY': (?!{due})\d+., expected .'CNY': {due}.", shown)


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


def test_a_shopper_who_pays_something_else_is_a_mismatch(api: Serving, lonely: Path, tmp_path: Path) -> None:
    """A cent more in one order: the line of the log is named, and the total of all shoppers is wrong by that cent."""
    output = tmp_path / "output.txt"
    with replaying(api, output, "--lifetime", "3", str(lonely)) as process:
        run_apart(take_a_cent_more(api.settings.database_url))
        status = process.wait(LIMIT_S)

    shown = output.read_text()
    assert status == 1, shown
    price = Item(41).unit_price(2)
    assert re.search(rf"lonely.tsv:1: the order of shopper \d+ shows: captured {price + 1}, expected {price}", shown)
    assert re.search(rf"money taken +{2 * price / 100:.2f} CNY +{(2 * price + 1) / 100:.2f} CNY", shown)


def test_a_friend_put_down_to_nobody_is_a_mismatch(api: Serving, lonely: Path, tmp_path: Path) -> None:
    """A place that forgets by whose link it came: the line of the log is named, and who is told wrongly."""
    output = tmp_path / "output.txt"
    with replaying(api, output, "--lifetime", "3", str(lonely)) as process:
        run_apart(forget_who_brought_the_friend(api.settings.database_url))
        status = process.wait(LIMIT_S)

    shown = output.read_text()
    assert status == 1, shown
    told = "('User 32', None), expected ('User 32', 'User 31')"
    assert f"lonely.tsv:1: participant 2 and by whom is told as {told}" in shown
    assert re.search(r"brought by a link +1 +0", shown)


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


async def take_a_cent_more(database_url: str) -> None:
    """One order that was just captured is dearer, as if the rules were broken."""
    connection = await asyncpg.connect(database_url)
    try:

        async def changed() -> bool:
            answer = await connection.execute(
                "UPDATE orders SET unit_price = unit_price + 1, captured_minor = captured_minor + 1 WHERE id IN ("
                " SELECT o.id FROM orders o JOIN groups g ON g.deal_id = o.deal_id AND g.status = 'open'"
                " WHERE g.expires_at < now() + interval '10 s' LIMIT 1)"
            )
            return bool(answer == "UPDATE 1")

        await eventually(changed, "an order beside an open group", LIMIT_S)
    finally:
        await connection.close()


async def forget_who_brought_the_friend(database_url: str) -> None:
    """The one place beside an open group whose shopper came by a link."""
    connection = await asyncpg.connect(database_url)
    try:

        async def changed() -> bool:
            answer = await connection.execute(
                "UPDATE participants SET invite_code = NULL WHERE invite_code IS NOT NULL AND deal_id IN ("
                " SELECT deal_id FROM groups"
                " WHERE status = 'open' AND expires_at BETWEEN now() AND now() + interval '10 s')"
            )
            return bool(answer == "UPDATE 1")

        await eventually(changed, "a place that came by a link", LIMIT_S)
    finally:
        await connection.close()

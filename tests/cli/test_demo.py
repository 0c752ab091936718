"""`tuan demo`: the first thing a newcomer sees."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Serving
from tests.house.running import free_port, tuan

COLUMNS, ROWS = 80, 24
SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def test_a_dozen_shoppers_join_and_all_pay_the_lowest_price(api: Serving) -> None:
    """Written to a file it is a line per change, then a row for each of the twelve with what the API says they pay."""
    shown = tuan("demo", "--fast", **api.environment)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    joined = re.findall(
        r"^ *[\d.]+ s  \w+ (?:opened the group|joined by \w+'s link): (\d+) of 12", shown.stdout, re.MULTILINE
    )
    assert [int(count) for count in joined] == list(range(1, 13))
    prices = [float(price) for price in re.findall(r"now ([\d.]+) for everybody", shown.stdout)]
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] == 18.9
    paid = re.findall(r"^  (\w+) +[\d.]+ s +29\.90 +(\d+\.\d\d) +11\.00 +15\.10 *$", shown.stdout, re.MULTILINE)
    assert len(paid) == 12
    assert {pays for _, pays in paid} == {"18.90"}
    assert "Of 358.80 USD held 226.80 were taken and 132.00 given back." in shown.stdout
    assert "saved 181.20 USD" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_on_a_terminal_it_is_a_live_panel_that_fits_80_columns(api: Serving) -> None:
    """The panel is redrawn in place, never wider or higher than a small terminal, and coloured."""
    screen = on_a_terminal(api.environment)

    assert "Pour-over coffee set" in screen
    assert "12 of 12" in screen
    assert "saved" in screen
    assert any(final == "m" and "32" in codes.split(";") for codes, final in SEQUENCE.findall(screen)), "no green"
    cursor_ups = [int(codes or 1) for codes, final in SEQUENCE.findall(screen) if final == "A"]
    assert cursor_ups, "nothing was redrawn in place"
    plain = SEQUENCE.sub("", screen)
    panels = re.findall(r"╭.*?╯", plain, re.DOTALL)
    assert panels
    for panel in panels:
        lines = panel.splitlines()
        assert len(lines) <= ROWS - 1
        assert max(map(len, lines)) <= COLUMNS


def test_without_colours_nothing_is_lost(api: Serving) -> None:
    """NO_COLOR is honoured: the same words, no colour code."""
    screen = on_a_terminal(api.environment | {"NO_COLOR": "1"})

    assert "saved" in screen
    colours = {code for codes, final in SEQUENCE.findall(screen) if final == "m" for code in codes.split(";")}
    assert not {code for code in colours if re.fullmatch(r"[349]\d|10\d", code)} - {"39", "49"}


def test_no_api_is_one_clear_line(tmp_path: os.PathLike[str]) -> None:
    """Where nothing listens: what to do next, and exit status 2."""
    refused = tuan("demo", TUAN_DATA_DIR=str(tmp_path), TUAN_PORT=str(free_port()))

    assert refused.returncode == 2
    assert re.fullmatch(r"tuan: No API answers at http://127\.0\.0\.1:\d+: .*`make run`.*\n", refused.stderr)


def on_a_terminal(environment: dict[str, str]) -> str:
    """All that a fast demonstration writes to a terminal of 80 by 24."""
    size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
    with terminal() as (ours, theirs):
        command = [sys.executable, "-m", "cli.main", "demo", "--fast"]
        process = subprocess.Popen(command, env=environment | size, stdout=theirs, stderr=theirs)
        os.close(theirs)
        written = b"".join(iter(lambda: read_if_open(ours), b""))
        assert process.wait(30) == 0, written.decode()
    return written.decode()


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def read_if_open(descriptor: int) -> bytes:
    """The next bytes; nothing once the other side has closed, which Linux reports as an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize("url", ["localhost:8000", "http://"])
def test_an_address_that_is_none_is_one_clear_line(url: str) -> None:
    """A wrong --url: what is expected, and exit status 2."""
    refused = tuan("demo", "--url", url)

    assert refused.returncode == 2
    assert refused.stderr == f"tuan: --url is '{url}'; expected an address such as http://127.0.0.1:8000.\n"

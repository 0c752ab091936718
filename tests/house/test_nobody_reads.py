"""What is said to a pipe that nobody reads any more."""

import subprocess
import sys
from pathlib import Path

GOES_ON = """
import sys, structlog, logging
from cli.welcome import Screen
from infra.logging import set_up_logging
from infra.settings import read_settings
screen = Screen()
set_up_logging(read_settings({}))
sys.stdin.readline()
screen.say("one"); screen.say("another")
structlog.get_logger("tuan").warning("one"); structlog.get_logger("tuan").warning("another")
logging.getLogger("others").warning("one")
open(sys.argv[1], "w").write("went on")
"""


def test_whoever_stops_reading_stops_nothing_else(tmp_path: Path) -> None:
    """`tuan run 2>&1 | head`: lines that cannot be written are lost, and work goes on to its proper end."""
    told = tmp_path / "told"
    with subprocess.Popen(
        [sys.executable, "-c", GOES_ON, told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as speaking:
        assert speaking.stdout is not None
        speaking.stdout.close()
        speaking.communicate(b"\n")
    assert told.read_text() == "went on"
    assert speaking.returncode == 0

"""A `tuan run` of a test's own: its own data directory and port, stopped with whatever it started at the end."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.waiting import until

START_LIMIT_S = 60
STOP_LIMIT_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """The process and what it printed."""

    def __init__(self, data_dir: Path, port: int, log: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.address = f"http://127.0.0.1:{port}"
        self.environment = surroundings(TUAN_DATA_DIR=str(data_dir), TUAN_PORT=str(port), **environment)
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "run"], stdout=output, stderr=output, env=self.environment
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def until_ready(self, times: int = 1) -> None:
        def ready_or_over() -> bool:
            assert self.process.poll() is None, self.output
            return self.output.count("Tuan is running") >= times

        until(ready_or_over, f"ready, but:\n{self.output}", START_LIMIT_S)

    def part(self, name: str) -> psutil.Process:
        """The process of a part: serve, worker, postgres or valkey."""
        found = until(lambda: self._parts(name), f"a process of {name}", START_LIMIT_S)
        return found[0]

    def _parts(self, name: str) -> list[psutil.Process]:
        return [child for child in psutil.Process(self.process.pid).children() if _is(child, name)]

    def family(self) -> list[psutil.Process]:
        """All processes below, to see later that none is left."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_LIMIT_S)


def _is(process: psutil.Process, name: str) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:  # just ended
        return False
    # Valkey writes its title over its command line, as one word.
    return name in line or bool(line and line[0].split(" ")[0].endswith((f"/{name}", f"/{name}-server")))


@contextmanager
def running(data_dir: Path, port: int, log: Path, **environment: str) -> Iterator[Running]:
    """Started; stopped at the end if the test did not."""
    run = Running(data_dir, port, log, **environment)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.interrupt()


def tuan(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `tuan` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=START_LIMIT_S,
        env=surroundings(**environment),
    )


def surroundings(**environment: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}

"""`tuan serve` and `tuan worker` as processes that a test may kill."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

from tests.house.running import free_port, surroundings
from tests.waiting import until

START_LIMIT_S = 60
STOP_LIMIT_S = 30


class Program:
    """One `tuan` command; started again after a kill it is the same program with a new process."""

    def __init__(self, command: str, log: Path, environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = surroundings(**environment)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log

    def start(self) -> None:
        """Begin; returns before it is ready."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", self._command], stdout=output, stderr=output, env=self._environment
            )

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL for it and all its children, the parent first so that it brings none of them back."""
        if self._process is not None and self.is_alive:
            kill_family(psutil.Process(self._process.pid))
            self._process.wait(STOP_LIMIT_S)

    def ask_to_stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def exit_status(self) -> int:
        """How it ended; waits for the end."""
        assert self._process is not None
        return self._process.wait(STOP_LIMIT_S)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what does not listen."""
        if self.is_alive:
            self.ask_to_stop()
            try:
                self.exit_status()
            except subprocess.TimeoutExpired:
                self.kill()

    def children(self) -> list[psutil.Process]:
        assert self._process is not None
        return psutil.Process(self._process.pid).children()


class Api(Program):
    """`tuan serve` on a port of its own, the same after every start."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        super().__init__("serve", log, {**environment, "TUAN_PORT": str(self.port)})

    def start_answering(self) -> None:
        """Begin, and return when it answers."""
        self.start()
        self.until_answering()

    def until_answering(self) -> None:
        until(self._answers_or_is_over, f"an answer of the API; its log: {self.log}", START_LIMIT_S)

    def answering_process(self) -> psutil.Process:
        """The child that answers requests; the parent only watches over it."""
        (found,) = until(self.children, "the process that answers", START_LIMIT_S)
        return found

    def _answers_or_is_over(self) -> bool:
        assert self.is_alive, self.log.read_text()
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5):
                return True
        except HTTPError:
            return True
        except OSError:
            return False


@contextmanager
def answering(processes: int, logs: Path, environment: Mapping[str, str]) -> Iterator[list[Api]]:
    """API processes that differ in their ports only; they answer when the block begins, and end with it."""
    apis = [Api(logs / f"api{number}.log", environment) for number in range(processes)]
    try:
        for api in apis:
            api.start()
        for api in apis:
            api.until_answering()
        yield apis
    finally:
        stop_together(apis)


def stop_together(programs: Iterable[Program]) -> None:
    """All are asked before any is waited for."""
    at_work = [program for program in programs if program.is_alive]
    for program in at_work:
        program.ask_to_stop()
    for program in at_work:
        program.stop()


def kill_family(parent: psutil.Process) -> None:
    """SIGKILL for a process and everything below it; returns when all are gone."""
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    until(lambda: all_gone(family), "the end of what was killed")


def all_gone(processes: Iterable[psutil.Process]) -> bool:
    return not any(_runs(process) for process in processes)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

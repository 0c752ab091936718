import http.client
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tests.house.running import START_LIMIT_S, Running, free_port, running, tuan
from tests.waiting import until

SECOND_START_LIMIT_S = 5


def kill(process: psutil.Process) -> None:
    process.kill()
    until(lambda: is_gone(process), f"the end of {process}")


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def line_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # gone
        return []


def answers(run: Running) -> bool:
    try:
        with urlopen(f"{run.address}/readyz", timeout=2) as answer:
            return bool(answer.status == http.client.OK)
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    return free_port()


def test_it_starts_stops_and_starts_again_quickly(folder: Path, port: int) -> None:
    """Ctrl-C stops everything that was started, and the second start is ready within 5 s."""
    with running(folder / "data", port, folder / "log") as first:
        first.until_ready()
        assert answers(first)
        family = first.family()
        assert len(family) >= 5
        assert first.interrupt() == 0
        assert all(is_gone(process) for process in family)
    began = time.monotonic()
    with running(folder / "data", port, folder / "log2") as second:
        second.until_ready()
        assert time.monotonic() - began < SECOND_START_LIMIT_S


def test_what_is_killed_comes_back(folder: Path, port: int) -> None:
    """After kill -9 of any part a running Tuan answers again by itself, all parts alive."""
    with running(folder / "data", port, folder / "log") as run:
        run.until_ready()
        for name in ("serve", "worker", "postgres", "valkey"):
            kill(run.part(name))
            assert run.part(name).is_running()
            until(lambda: answers(run), f"an answer after the end of {name}", START_LIMIT_S)


def test_an_api_process_that_is_killed_comes_back(folder: Path, port: int) -> None:
    """The process that answers requests is a child of `tuan serve`; its end is noticed as well."""
    with running(folder / "data", port, folder / "log") as run:
        run.until_ready()
        (answering,) = run.part("serve").children()
        kill(answering)
        until(lambda: answers(run), "an answer from its successor", START_LIMIT_S)


def test_killed_whole_it_leaves_no_port_taken_and_starts_again(folder: Path, port: int) -> None:
    """After kill -9 of `tuan run` its children end by themselves and the next start takes over what is left."""
    with running(folder / "data", port, folder / "log") as first:
        first.until_ready()
        family = first.family()
        first.process.kill()
        first.process.wait()
    with running(folder / "data", port, folder / "log2") as second:
        second.until_ready()
        until(lambda: all(is_gone(process) for process in family), "the end of the first family", START_LIMIT_S)


def test_after_a_kill_it_waits_for_the_port(folder: Path, port: int) -> None:
    """The API of a killed run may be answering its last requests; the next start waits for it and says so."""
    with running(folder / "data", port, folder / "log") as first:
        first.until_ready()
        family = first.family()
        first.process.kill()
        first.process.wait()
        until(lambda: all(is_gone(process) for process in family if "cli.main" in line_of(process)), "the API's end")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with running(folder / "data", port, folder / "log2") as second:
            until(lambda: "waiting for its API to end" in second.output, "the notice", START_LIMIT_S)
            listener.close()
            second.until_ready()


def test_killed_all_at_once_it_starts_again(folder: Path, port: int) -> None:
    """After kill -9 of every process at once, as when the machine stops, the next start recovers."""
    with running(folder / "data", port, folder / "log") as first:
        first.until_ready()
        for process in [psutil.Process(first.process.pid), *first.family()]:
            with suppress(psutil.NoSuchProcess):  # it ended by itself, as those do whose parent is gone
                process.kill()
        first.process.wait()
    with running(folder / "data", port, folder / "log2") as second:
        second.until_ready()
        assert answers(second)


def test_a_second_run_in_the_same_place_says_so(folder: Path, port: int) -> None:
    """Two `make run` in one folder: the second names the first and changes nothing."""
    with running(folder / "data", port, folder / "log") as run:
        run.until_ready()
        second = tuan("run", TUAN_DATA_DIR=str(folder / "data"), TUAN_PORT=str(free_port()))
        assert second.returncode == 2
        assert f"already running in {folder / 'data'} (process {run.process.pid})" in second.stderr
        assert answers(run)


def test_other_commands_find_the_private_servers(folder: Path, port: int) -> None:
    """`tuan migrate` in a second terminal needs no addresses; a taken port is one line."""
    with running(folder / "data", port, folder / "log") as run:
        run.until_ready()
        data = {"TUAN_DATA_DIR": str(folder / "data")}
        assert tuan("migrate", **data).stdout.startswith("Nothing to do")
        busy = tuan("serve", TUAN_PORT=str(port), **data)
        assert busy.returncode == 2
        assert f"Another program listens on 127.0.0.1:{port}" in busy.stderr


def test_terminating_is_as_good_as_ctrl_c(folder: Path, port: int) -> None:
    """A service manager's SIGTERM, even in the middle of the first start, leaves nothing behind."""
    with running(folder / "data", port, folder / "log") as run:
        until(lambda: "Starting Valkey" in run.output, "the start to be under way")
        family = run.family()
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(START_LIMIT_S) == 0
        assert all(is_gone(process) for process in family)

"""Starting, recognising and stopping server processes; nothing is signalled that is not provably ours."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from infra.cannot_start import EmbeddedServerBroken
from infra.embedded.place import Place

POLL_S = 0.02
LOG_BYTES_MAX = 16 * 1024 * 1024


def start_server(place: Place, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C in the terminal reaches us only."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  a fixed program from our own wheels
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_service_user(place),
        )


def as_service_user(place: Place) -> dict[str, Any]:
    """Arguments of `subprocess`: root hands over to the service user; no PG* variable of the caller leaks in."""
    surroundings: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
    }
    if place.service_user:
        surroundings |= {
            "user": place.service_user.user_id,
            "group": place.service_user.group_id,
            "extra_groups": [],
        }
    return surroundings


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Whether `ready` came true before the process died or the time ran out."""
    deadline = time.monotonic() + limit_s
    while process.poll() is None and time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(POLL_S)
    return False


def leftover(pid_file: Path, *marks: str) -> psutil.Process | None:
    """The server an earlier run left behind: alive, named in its pid file, with our own marks in its command line."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        line = "\0".join(process.cmdline())
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if line and all(mark in line for mark in marks) else None


def stop_leftover(process: psutil.Process, gentle: signal.Signals, limit_s: float) -> None:
    for urgency in (gentle, signal.SIGKILL):
        try:
            process.send_signal(urgency)
        except psutil.NoSuchProcess:
            return
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if _is_gone(process):
                return
            time.sleep(POLL_S)
    raise EmbeddedServerBroken(f"Process {process.pid}, a server of an earlier run, does not stop; end it by hand.")


def _is_gone(process: psutil.Process) -> bool:
    """An orphan that ended but was not yet collected by init is gone too."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop_server(process: subprocess.Popen[bytes], *signals: signal.Signals, limit_s: float) -> None:
    """Ask with each signal in turn, waiting `limit_s` after each; the last resort is SIGKILL."""
    for urgency in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(urgency)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            continue


def last_words(log: Path) -> str:
    """The most telling line at the end of a server's log."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-20:]
    except OSError:
        return "it left no log"
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it left no log"])[-1].strip()[:300]

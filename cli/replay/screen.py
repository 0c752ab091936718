"""Showing a replay on its way: a bar per phase on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

BAR_EVERY_S = 0.1
LINE_EVERY_S = 10


class Screen:
    """Where progress goes; rich leaves colours out where NO_COLOR asks for it."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def phase(self, name: str, total: int) -> Iterator[Callable[[], None]]:
        """Show a phase; call what it gives once for each of `total` things done."""
        if self.console.is_terminal:
            with _bars(self.console) as bars:
                task = bars.add_task(name, total=total)
                counter = _Counter(BAR_EVERY_S, lambda done: bars.update(task, completed=done))
                yield counter.advance
                counter.show()
        else:
            counter = _Counter(LINE_EVERY_S, lambda done: self.console.print(f"{name}: {done:,} of {total:,}"))
            yield counter.advance
            counter.show()


class _Counter:
    """Counts often and shows seldom: a bar redrawn for every request would cost more than the request."""

    def __init__(self, every_s: float, show: Callable[[int], object]) -> None:
        self._every_s = every_s
        self._show = show
        self._done = 0
        self._shown_at = time.monotonic()

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._shown_at > self._every_s:
            self.show()

    def show(self) -> None:
        self._shown_at = time.monotonic()
        self._show(self._done)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )

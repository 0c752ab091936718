"""Reading group-buying logs: one line is one group, `initiator TAB item [TAB participant ...]`, whole numbers."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from infra.cannot_start import CannotStart

NUMBER_DIGITS_MAX = 18
FRIENDS_MAX = 100_000


class UnreadableLog(CannotStart):
    """A file or a line of it that cannot be played; says which and why."""


class LoggedGroup(NamedTuple):
    """What happened once: somebody opened a group for an item, and these friends joined (nobody: it failed)."""

    file: Path
    line_number: int
    initiator: int
    item: int
    friends: tuple[int, ...]

    @property
    def where(self) -> str:
        """Which line it is, for messages."""
        return f"{self.file.name}:{self.line_number}"

    @property
    def shoppers(self) -> tuple[int, ...]:
        """Everybody in the group, the initiator first."""
        return (self.initiator, *self.friends)


def read_logs(files: Sequence[Path], lines_max: int | None = None) -> list[LoggedGroup]:
    """The first `lines_max` lines of each file (all where None), the files side by side as if they ran together.

    Raises UnreadableLog with file and line number; nothing has been sent to anybody by then.
    """
    logs = [list(_read(file, lines_max)) for file in files]
    if not any(logs):
        raise UnreadableLog(f"There is no line to replay in {', '.join(map(str, files))}.")
    return [group for _, _, group in heapq.merge(*(_spread(number, log) for number, log in enumerate(logs)))]


def _spread(file_number: int, log: list[LoggedGroup]) -> Iterator[tuple[float, int, LoggedGroup]]:
    """Each group with how far down its own file it stands: from the beginning (0) to the end (1)."""
    return ((line / len(log), file_number, group) for line, group in enumerate(log))


def _read(file: Path, lines_max: int | None) -> Iterator[LoggedGroup]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(islice(lines, lines_max), start=1):
                yield _group(file, number, line.rstrip(b"\r\n"))
    except OSError as error:
        raise UnreadableLog(f"{file} cannot be read: {error.strerror}.") from error


def _group(file: Path, line_number: int, line: bytes) -> LoggedGroup:
    fields = line.split(b"\t")
    wrong = _trouble(fields)
    if wrong is None:
        initiator, item, *friends = map(int, fields)
        if len({initiator, *friends}) == 1 + len(friends):
            return LoggedGroup(file, line_number, initiator, item, tuple(friends))
        wrong = "somebody is in the group twice"
    raise UnreadableLog(
        f"{file}:{line_number}: {wrong}; a line is initiator TAB item [TAB participant ...], each a whole number."
    )


def _trouble(fields: list[bytes]) -> str | None:
    if fields == [b""]:
        return "the line is empty"
    for field in fields:
        if not field.isdigit() or len(field) > NUMBER_DIGITS_MAX:
            return f"{field[:40].decode(errors='replace')!a} is no number of a user or an item"
    if len(fields) < 2:
        return "the item is missing"
    return f"more than {FRIENDS_MAX} participants" if len(fields) > FRIENDS_MAX + 2 else None

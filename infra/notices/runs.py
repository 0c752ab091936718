"""How far a reader of the outbox is, although ids are committed out of order.

An id below the last one read that is not there may still come: its transaction is under way; or never: it was rolled
back. The reader looks at such runs of ids again until every transaction that could bring one is over.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """Ids from `first` to `last` that were not there.

    `over_by`: whoever can still bring one has a transaction id below this; None until the look after the one that
    missed them has begun, as only its own transaction id is known to be above all that were under way then.
    """

    first: int
    last: int
    over_by: int | None = None


class Reading(NamedTuple):
    """All ids up to `through` have been read, but those that are missing."""

    through: int
    missing: tuple[Run, ...] = ()


def confirmed(missing: Iterable[Run], own_transaction: int) -> tuple[Run, ...]:
    """Runs missed by looks before this one, which has this transaction id, with the bound they are over by."""
    return tuple(run if run.over_by is not None else run._replace(over_by=own_transaction) for run in missing)


def advanced(reading: Reading, taken: Collection[int], left: Collection[int], oldest_active: int) -> Reading:
    """The reading after a look that took some ids and saw others that it left to the next.

    `oldest_active` is the lowest transaction id that was under way when it looked.
    """
    fresh = sorted(number for number in taken if number > reading.through)
    through = fresh[-1] if fresh else reading.through
    again = [part for run in reading.missing for part in _without(run, taken) if _may_come(part, left, oldest_active)]
    return Reading(through, (*again, *_gaps(reading.through, fresh)))


def _may_come(run: Run, left: Collection[int], oldest_active: int) -> bool:
    is_over = run.over_by is not None and oldest_active >= run.over_by
    return not is_over or any(run.first <= number <= run.last for number in left)


def _without(run: Run, taken: Collection[int]) -> Iterator[Run]:
    first = run.first
    for number in sorted(number for number in taken if run.first <= number <= run.last):
        if first < number:
            yield run._replace(first=first, last=number - 1)
        first = number + 1
    if first <= run.last:
        yield run._replace(first=first)


def _gaps(through: int, fresh: Sequence[int]) -> Iterator[Run]:
    before = through
    for number in fresh:
        if number > before + 1:
            yield Run(before + 1, number - 1)
        before = number

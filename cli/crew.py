"""Doing things at the same time; the first failure stops the rest and is raised as it is."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

Piece = TypeVar("Piece")
Doing: TypeAlias = Coroutine[Any, Any, None]


async def side_by_side(*doings: Doing) -> None:
    """Return when all are done."""
    try:
        async with asyncio.TaskGroup() as together:
            for doing in doings:
                together.create_task(doing)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def in_parallel(pieces: Iterable[Piece], concurrency: int, work: Callable[[Piece], Doing]) -> None:
    """Work a list off, so many pieces at a time: each worker takes the next piece when its hands are free."""
    remaining = iter(pieces)
    await side_by_side(*(_work_off(remaining, work) for _ in range(concurrency)))


async def not_done_with(
    pieces: Iterable[Piece],
    concurrency: int,
    is_done_with: Callable[[Piece], Coroutine[Any, Any, bool]],
    advance: Callable[[], None],
) -> list[Piece]:
    """Look at all of a list, so many pieces at a time; answers those to look at again, and tells of each other one."""
    again: list[Piece] = []

    async def look(piece: Piece) -> None:
        if await is_done_with(piece):
            advance()
        else:
            again.append(piece)

    await in_parallel(pieces, concurrency, look)
    return again


async def _work_off(remaining: Iterator[Piece], work: Callable[[Piece], Doing]) -> None:
    for piece in remaining:
        await work(piece)

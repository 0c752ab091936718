"""Gathering: many who ask share a fetch, and none gets an answer from before it asked."""

import asyncio

from infra.gathering import Gathering
from tests.waiting import eventually


async def test_nobody_gets_an_answer_from_before_it_asked() -> None:
    """Whoever asks during a fetch is served by the next one, which all who asked in the meantime share."""
    going_on = asyncio.Event()
    fetches: list[list[str]] = []

    async def fetch(keys: list[str]) -> dict[str, int]:
        number = len(fetches)
        fetches.append(keys)
        await going_on.wait()
        return dict.fromkeys(keys, number)

    async def under_way() -> bool:
        return bool(fetches)

    gathering = Gathering(fetch)
    first = asyncio.ensure_future(gathering.get("a"))
    await eventually(under_way, "the first fetch")
    later = [asyncio.ensure_future(gathering.get(key)) for key in ("a", "a", "b")]
    await asyncio.sleep(0)
    going_on.set()
    assert await asyncio.gather(first, *later) == [0, 1, 1, 1]
    assert fetches == [["a"], ["a", "b"]]

"""What many ask for at once is looked up once, and shown no longer than it may be."""

import asyncio
from collections.abc import Mapping

import pytest

from infra.recent import Recent

FOR_EVER_S = 3_600.0


class Source:
    """Where values come from; it remembers what it was asked."""

    def __init__(self) -> None:
        self.values = {number: [number] for number in range(10)}
        self.asked: list[list[int]] = []

    async def fetch(self, keys: list[int]) -> Mapping[int, list[int]]:
        self.asked.append(keys)
        await asyncio.sleep(0)
        return {key: list(self.values[key]) for key in keys if key in self.values}


async def test_what_many_ask_for_is_looked_up_once() -> None:
    """A hundred callers of three keys: three values in two questions, the second for those who came meanwhile."""
    source = Source()
    recent = Recent(source.fetch, kept_s=FOR_EVER_S, keys_max=10)
    assert await asyncio.gather(*(recent.get(number % 3) for number in range(100))) == [[n % 3] for n in range(100)]
    assert sorted(key for keys in source.asked for key in keys) == [0, 1, 2]
    await recent.get(1)
    assert sum(map(len, source.asked)) == 3


async def test_what_is_too_old_is_asked_for_again() -> None:
    """By the age that is allowed in general, or by this caller."""
    source = Source()
    recent = Recent(source.fetch, kept_s=FOR_EVER_S, keys_max=10)
    assert recent.age_s(1) is None
    await recent.get(1)
    source.values[1] = [7]
    assert await recent.get(1) == [1]
    assert await recent.get(1, 0.0) == [7]
    assert await Recent(source.fetch, kept_s=0.0, keys_max=10).get(1) == [7]
    age_s = recent.age_s(1)
    assert age_s is not None
    assert 0 <= age_s < 60


async def test_a_value_that_is_the_same_stays_the_same_object() -> None:
    """So whoever made something of it sees that nothing has changed."""
    source = Source()
    recent = Recent(source.fetch, kept_s=0.0, keys_max=10)
    first = await recent.get(1)
    assert await recent.get(1) is first
    source.values[1] = [8]
    assert await recent.get(1) == [8]


async def test_what_is_not_there_is_not_kept() -> None:
    """It is there at once when it comes, and gone when it goes; a failed question keeps nothing."""
    source = Source()
    recent = Recent(source.fetch, kept_s=0.0, keys_max=10)
    assert await recent.get(99) is None
    source.values[99] = [99]
    assert await recent.get(99) == [99]
    del source.values[99]
    assert await recent.get(99) is None
    assert recent.age_s(99) is None
    with pytest.raises(TypeError):
        await Recent(_broken, kept_s=FOR_EVER_S, keys_max=10).get(1)


async def test_no_more_are_kept_than_may_be() -> None:
    """The one that was looked up longest ago goes first."""
    source = Source()
    recent = Recent(source.fetch, kept_s=FOR_EVER_S, keys_max=2)
    for key in (1, 2, 3):
        await recent.get(key)
    assert [recent.age_s(key) is None for key in (1, 2, 3)] == [True, False, False]


async def _broken(keys: list[int]) -> Mapping[int, list[int]]:
    raise TypeError(keys)

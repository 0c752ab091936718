"""Everybody at once: requests sent in the same moment, spread over the API processes."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from itertools import cycle

from tests.system.phones import Answer, Phone
from tests.system.shop import Shopper


async def at_once(requests: Sequence[Awaitable[Answer]]) -> list[Answer]:
    """The answers, in the order of the requests; a request without an answer raises."""
    return list(await asyncio.gather(*requests))


async def join_at_once(phones: Sequence[Phone], shoppers: Sequence[Shopper], *group_ids: str) -> list[Answer]:
    """Every shopper joins through the next phone; each group gets an equal part of the shoppers, from every phone."""
    return await at_once(
        [
            shopper.join(phone, group_ids[number * len(group_ids) // len(shoppers)])
            for number, (shopper, phone) in enumerate(zip(shoppers, cycle(phones), strict=False))
        ]
    )


def said(answers: Sequence[Answer]) -> Counter[tuple[int, str]]:
    """How often each status came with each problem."""
    return Counter(answer.said for answer in answers)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._begun_at = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begun_at

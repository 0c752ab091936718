"""The limiter itself: never more than a quota in any window, whoever asks and however many processes there are."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from domain.identity.limits import Policy, Whose
from infra.limits.in_memory import WindowsInMemory
from infra.limits.limiter import Limiter
from infra.limits.window import Charge
from tests.house.running import surroundings
from tests.waiting import eventually

PROCESSES = 4
ROOT = Path(__file__).parents[2]
ONE = Policy("one", Whose.ACCOUNT, 3, 3600)
OTHER = Policy("other", Whose.ADDRESS, 5, 3600)


def hammered(redis_url: str, quota: int, window_s: int, for_s: float) -> list[tuple[float, float]]:
    """When four processes that ask all the time were let through, each time between two moments."""
    command = [sys.executable, "-m", "tests.limits.hammer", redis_url, str(quota), str(window_s), str(for_s)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=surroundings())
        for _ in range(PROCESSES)
    ]
    assert [process.stdout.readline() for process in running if process.stdout] == ["ready\n"] * PROCESSES
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    lines = [line for process in running for line in process.communicate(timeout=60)[0].splitlines()]
    assert all(process.returncode == 0 for process in running)
    return [(float(before), float(after)) for before, after in map(str.split, lines)]


def test_exactly_the_quota_passes_however_many_processes_ask(redis_url: str) -> None:
    """Four processes ask for seconds on end, 500 may pass in an hour: 500 do, not one more and not one less."""
    assert len(hammered(redis_url, quota=500, window_s=3600, for_s=3)) == 500


def test_no_window_of_any_beginning_has_more_than_the_quota(redis_url: str) -> None:
    """Not at the edge of a slot either, where windows that begin at fixed times let through twice as much."""
    passed = hammered(redis_url, quota=40, window_s=1, for_s=4)
    assert len(passed) > 80  # it does come back
    for begin, _ in passed:
        surely_in_it = sum(begin <= before and after <= begin + 1 for before, after in passed)
        assert surely_in_it <= 40


async def test_all_policies_are_charged_or_none(redis_client: Redis) -> None:
    """What is refused by one policy costs nothing of another."""
    limiter = Limiter(redis_client)
    both = (Charge(ONE, "mei"), Charge(OTHER, "here"))
    rulings = [await limiter.take(both, needs_the_count=True) for _ in range(5)]
    assert [ruling.passes for ruling in rulings] == [True, True, True, False, False]
    assert [one.remaining for one in rulings[-1].allowances] == [0, 2]
    assert rulings[-1].exhausted.policy is ONE
    assert [(await limiter.take(both[1:], needs_the_count=True)).passes for _ in range(3)] == [True, True, False]


async def test_what_is_counted_goes_by_itself(redis_client: Redis) -> None:
    """Every key has an end soon after its window's."""
    await Limiter(redis_client).take((Charge(ONE, "mei"), Charge(OTHER, "here")), needs_the_count=True)
    keys = await redis_client.keys()
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis_client.ttl(key) <= 3600 * 1.1


async def test_a_script_that_redis_forgot_is_given_again_and_nothing_counts_twice(redis_client: Redis) -> None:
    """A restart or SCRIPT FLUSH costs a round trip, no request."""
    limiter = Limiter(redis_client)
    charges = (Charge(OTHER, "here"),)
    for left in (4, 3):
        await redis_client.script_flush()
        assert (await limiter.take(charges, needs_the_count=True)).allowances[0].remaining == left


async def test_requests_that_come_together_share_messages(redis_client: Redis) -> None:
    """A hundred at once are a handful of reads for Redis, and each is counted."""
    limiter = Limiter(redis_client)
    charges = (Charge(Policy("many", Whose.ACCOUNT, 1_000, 3600), "mei"),)
    await limiter.take(charges, needs_the_count=True)
    before = await _reads(redis_client)
    rulings = await asyncio.gather(*(limiter.take(charges, needs_the_count=True) for _ in range(100)))
    assert await _reads(redis_client) - before < 10
    assert min(ruling.allowances[0].remaining for ruling in rulings) == 1_000 - 101


@given(st.lists(st.integers(0, 3_000), max_size=60), st.integers(1, 5))
def test_in_memory_too_no_window_has_more_than_the_quota(pauses_ms: list[int], quota: int) -> None:
    """Whatever the times of requests are; what passes is free again a slot after its window at the latest."""
    windows, now_ms, passed = WindowsInMemory(), 0, list[int]()
    charges = (Charge(Policy("small", Whose.ACCOUNT, quota, 10), "mei"),)
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        lately = sum(now_ms - at < 10_000 for at in passed)
        if windows.take(charges, now_ms).passes:
            assert lately < quota
            passed.append(now_ms)
        else:
            assert sum(now_ms - at < 11_000 for at in passed) >= quota


def test_memory_is_bounded() -> None:
    """Whoever comes from ever new addresses fills no process: who was seen longest ago is forgotten."""
    windows = WindowsInMemory(keys_max=100)
    for number in range(1_000):
        windows.take((Charge(ONE, str(number)),), number)
    assert len(windows._counted) == 100
    assert "999" in next(reversed(windows._counted))


@pytest.mark.parametrize("used", [1, 2, 3])
async def test_waiting_as_long_as_told_is_enough(redis_client: Redis, used: int) -> None:
    """Who waits for `more_in_s` passes: the wait is never too short."""
    limiter = Limiter(redis_client)
    charges = (Charge(Policy("quick", Whose.ACCOUNT, used, 1), "mei"),)
    while (ruling := await limiter.take(charges, needs_the_count=True)).passes:
        pass

    async def passes() -> bool:
        return (await limiter.take(charges, needs_the_count=True)).passes

    await eventually(passes, "there is more when it was told", ruling.exhausted.more_in_s)


async def _reads(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])

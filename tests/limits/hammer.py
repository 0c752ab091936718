"""A process that asks the limiter again and again and prints when it was let through.

It says when it is ready and begins when it is told to. Each line is a moment before and one after the question, in
seconds: it passed somewhere in between.
"""

import asyncio
import sys
import time

from domain.identity.limits import Policy, Whose
from infra.limits import limiter as limiting
from infra.limits.limiter import Limiter
from infra.limits.window import Charge
from infra.redis_client import make_redis
from infra.settings import read_settings

AT_ONCE = 8
PATIENT_S = 30.0
"""An answer that comes late is one all the same: whether a request passes on a busy machine is not asked here."""


async def main(redis_url: str, quota: int, window_s: int, for_s: float) -> None:
    redis = make_redis(read_settings({"REDIS_URL": redis_url}))
    limiter, charges = Limiter(redis), (Charge(Policy("hammered", Whose.ACCOUNT, quota, window_s), "one"),)

    limiting.ANSWER_WITHIN_S = PATIENT_S
    await redis.ping()
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    await asyncio.to_thread(sys.stdin.readline)
    until = time.time() + for_s

    async def hammer() -> None:
        while time.time() < until:
            before = time.time()
            if (await limiter.take(charges, needs_the_count=True)).passes:
                sys.stdout.write(f"{before} {time.time()}\n")

    await asyncio.gather(*(hammer() for _ in range(AT_ONCE)))
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))

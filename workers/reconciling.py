"""Placeholder."""

from workers.duty import Context, Duty


async def step(context: Context) -> float:
    return 60


RECONCILING = Duty("reconciling", 4, step)

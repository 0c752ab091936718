"""What an API process does beside answering: it stands by for the worker, and asks for wake-ups of what it opens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.runtime import Runtime
from workers.duties import performed
from workers.queue import waking_up


@asynccontextmanager
async def standing_by(runtime: Runtime) -> AsyncIterator[None]:
    """Do the duties while no worker does: groups close with the worker down, and with Redis down too."""
    async with waking_up(runtime), performed(runtime, is_worker=False):
        yield

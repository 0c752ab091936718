"""Idle memory of an API process: of `tuan serve` itself, without the benchmarks' routes."""

import dataclasses
import time

import psutil

from benchmarks.figures import Figure, Spread, Wanted
from benchmarks.offers import open_groups
from benchmarks.rounds import join_request
from benchmarks.stack import Stack, answering_process, free_port, running
from benchmarks.wrk import Request, Wrk

SETTLE_S = 3
WARM_UP_S = 3
MB = 1_000_000


def memory(stack: Stack) -> Figure:
    """A second API beside the measured one: after its start, and at rest after some seconds of joins and reads."""
    settings = dataclasses.replace(stack.settings, port=free_port())
    path = open_groups(settings)[0].path
    with running(settings, "cli.main", "serve") as main:
        answering = answering_process(settings, main)
        time.sleep(SETTLE_S)
        fresh, main_mb = _resident_mb(answering), _resident_mb(main)
        own_mb = answering.memory_full_info().uss / MB
        wrk = Wrk(f"http://127.0.0.1:{settings.port}", stack.tokens)
        for request in (join_request(path), Request("GET", (path,)), Request("GET", (path,), anonymous=True)):
            wrk.run(request, WARM_UP_S)
        time.sleep(SETTLE_S)
        used = _resident_mb(answering)
    return Figure(
        "idle memory of an API process",
        Spread((fresh,)),
        Wanted(130, 90, "{:.0f} MB", at_most=True),
        measured=f"{fresh:.0f} MB resident after its start ({own_mb:.0f} MB of it its own), {used:.0f} MB after a load",
        ceiling=f"granian's main process, one per `tuan serve`: {main_mb:.0f} MB",
    )


def _resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MB

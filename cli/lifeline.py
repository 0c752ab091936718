"""Ending with the process that started us, also when that one is killed without a word."""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import parent_process


def add_lifeline(parser: argparse.ArgumentParser) -> None:
    """Accept what `tuan run` passes to its children: a pipe that closes when it is gone."""
    parser.add_argument("--lifeline", type=int, metavar="FD", help=argparse.SUPPRESS)


def hold_lifeline(descriptor: int | None, limit_s: int) -> None:
    """Ask this process to stop when the pipe closes, and end it if it has not after `limit_s`."""
    if descriptor is not None:
        _end_after(lambda: os.read(descriptor, 1), limit_s)


def hold_parent_process(limit_s: int) -> None:
    """The same for a process that multiprocessing started, such as an API process of granian."""
    parent = parent_process()
    if parent is not None:
        _end_after(parent.join, limit_s)


def _end_after(wait: Callable[[], object], limit_s: int) -> None:
    def watch() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(limit_s)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()

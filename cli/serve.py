"""`tuan serve`: the API, in as many processes as the settings say."""

import argparse
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from cli.commands import Commands, add_command
from cli.lifeline import add_lifeline, hold_lifeline, hold_parent_process
from cli.reach import reach_migrated_database, redis_trouble, require_free_port, require_gateways
from infra.logging import set_up_logging
from infra.settings import Settings, read_settings

BACKLOG_CONNECTIONS = 4096
# Live streams are requests that stay open, so this bounds watchers and callers together.
OPEN_REQUESTS_MAX = 16_384
HEADER_BYTES_MAX = 64 * 1024
HEADER_READ_TIMEOUT_MS = 10_000
_LOGS = {
    "handlers": {"console": {"formatter": "generic", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"}},
    "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
}


def register(commands: Commands) -> None:
    add_lifeline(add_command(commands, "serve", "answer the API", execute))


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    address = require_free_port(settings)
    reach_migrated_database(settings)
    require_signing_key(settings)
    require_gateways(settings)
    trouble = redis_trouble(settings)
    if trouble:
        print(f"tuan: {trouble}; the API goes on without it until it is back.", file=sys.stderr)
    hold_lifeline(arguments.lifeline, settings.stop_timeout_s + 1)
    allow_many_connections()
    serve(settings, address)
    return 0


def require_signing_key(settings: Settings) -> None:
    """Raises `BadKey` where tokens of this process would be trusted by nobody, itself included."""
    from infra.key_ring import KeyRing

    KeyRing(settings).signer(time.time())


def _end_when_told() -> None:
    """In a new API process: its parent's handler, which it inherits, would swallow SIGTERM until it has its own."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def load_api(extra_handlers: Sequence[Any] = ()) -> Callable[..., Any]:
    """The ASGI app; called once in each API process."""
    gc.disable()  # until all is there: nothing of it is garbage, and looking took a sixth of the start
    from api.app import create_app
    from workers.standby import standing_by

    settings = read_settings()
    set_up_logging(settings)
    hold_parent_process(settings.stop_timeout_s)
    app: Callable[..., Any] = create_app(settings, extra_handlers=extra_handlers, duties=standing_by)
    return app


def _quiet_collector() -> None:
    """Let the collector of cycles leave what lives as long as the process alone, and look at the rest less often.

    Requests leave next to no cycles; looking for them as often as by default took a tenth of a join's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def serve(settings: Settings, address: str, load: Callable[[], Callable[..., Any]] = load_api) -> None:
    """Answer at this address until stopped; `load` makes the ASGI app in each API process."""
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    os.register_at_fork(after_in_child=_end_when_told)
    Server(
        "api.app:create_app",
        address=address,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.api_processes,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG_CONNECTIONS,
        backpressure=OPEN_REQUESTS_MAX,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_TIMEOUT_MS, max_buffer_size=HEADER_BYTES_MAX),
        log_level=LogLevels.warning,
        log_dictconfig=_LOGS,
        log_access=False,
        respawn_failed_workers=True,  # a process that dies at once twice in a row still ends the server
        workers_kill_timeout=settings.stop_timeout_s,
    ).serve(target_loader=partial(_loaded, load), wrap_loader=False)


def _loaded(load: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    app = load()
    _quiet_collector()
    return app


def allow_many_connections() -> None:
    """Raise the limit of open files to what the system lets this user have; 1024 is too few for live streams."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_REQUESTS_MAX + 1024
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))

"""`tuan run`: everything on one machine - private servers, tables, demo data, API and worker - until Ctrl-C."""

import argparse
import asyncio
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from cli.children import ChildCommand
from cli.commands import Commands, add_command
from cli.probe import is_ready
from cli.reach import reach_database, redis_trouble, require_free_port, require_gateways
from cli.supervisor import Supervisor
from cli.welcome import Screen, welcome
from infra.cannot_start import CannotStart, PortBusy, ServerMissing
from infra.embedded.directory import make_folders, taken
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedValkey
from infra.schema_version import head_revision
from infra.settings import Settings

LOOK_EVERY_S = 0.2
READY_LIMIT_S = 60
ORPHANS_GRACE_S = 3
# What a process holds for writes, duties and the sandbox beside its pool for reads: a bound, not the exact number.
WRITING_CONNECTIONS = 34
# Connections besides the pools: migrations, sweepers' locks, a developer's psql.
SPARE_CONNECTIONS = 30


def register(commands: Commands) -> None:
    add_command(commands, "run", "start everything here: servers, tables, demo data, API and worker", execute)


def execute(settings: Settings, _: argparse.Namespace) -> int:
    screen = Screen()
    stopping = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda *_: stopping.set())
    started_at = time.monotonic()
    with ExitStack() as leaving:
        was_killed = leaving.enter_context(taken(settings.place))
        _await_port(settings, screen, settings.stop_timeout_s + ORPHANS_GRACE_S if was_killed else 0)
        _reach_given_servers(settings)
        require_gateways(settings)
        supervisor = Supervisor(screen.say)
        leaving.callback(_stop, supervisor, screen)
        if _start(settings, supervisor, screen, stopping.is_set):
            screen.show(welcome(settings, time.monotonic() - started_at))
            while not stopping.wait(LOOK_EVERY_S):
                supervisor.look()
    return 0


def _await_port(settings: Settings, screen: Screen, patience_s: float) -> None:
    """After a run that was killed its API may still be ending; nothing but time is needed."""
    deadline = time.monotonic() + patience_s
    told = False
    while True:
        try:
            require_free_port(settings)
        except PortBusy:
            if time.monotonic() >= deadline:
                raise
        else:
            return
        if not told:
            screen.say("The run before this one was killed; waiting for its API to end")
            told = True
        time.sleep(LOOK_EVERY_S)


def _reach_given_servers(settings: Settings) -> None:
    """Before anything is started: the servers that the settings name must be there."""
    if not settings.database_is_embedded:
        reach_database(settings)
    if not settings.redis_is_embedded and (trouble := redis_trouble(settings)):
        raise ServerMissing(f"{trouble}; check REDIS_URL.")


def _start(settings: Settings, supervisor: Supervisor, screen: Screen, asked_to_stop: Callable[[], bool]) -> bool:
    """Whether everything runs; False when asked to stop meanwhile."""
    api = ChildCommand("The API", "serve", settings.stop_timeout_s)
    worker = ChildCommand("The worker", "worker", settings.stop_timeout_s)
    steps: tuple[Callable[[], None], ...] = (
        lambda: _start_postgres(settings, supervisor, screen),
        lambda: _start_valkey(settings, supervisor, screen),
        lambda: _fill_database(settings, screen),
        lambda: _start_children(supervisor, screen, api, worker),
        lambda: _wait_until_ready(settings, api, asked_to_stop),
    )
    for step in steps:
        if asked_to_stop():
            return False
        step()
    return not asked_to_stop()


def _start_postgres(settings: Settings, supervisor: Supervisor, screen: Screen) -> None:
    if not settings.database_is_embedded:
        return
    place = settings.place
    make_folders(place)
    if place.home != place.data_dir:
        screen.say(f"Running as root: the servers run as {place.owner_name} and keep their data in {place.home}.")
    per_process = settings.database_connections_max + WRITING_CONNECTIONS
    connections_max = (settings.api_processes + 1) * per_process + SPARE_CONNECTIONS
    postgres = EmbeddedPostgres(place, connections_max=max(100, connections_max))
    screen.say("Making a private PostgreSQL" if postgres.is_new() else "Starting PostgreSQL")
    supervisor.start(postgres)


def _start_valkey(settings: Settings, supervisor: Supervisor, screen: Screen) -> None:
    if settings.redis_is_embedded:
        make_folders(settings.place)
        screen.say("Starting Valkey")
        supervisor.start(EmbeddedValkey(settings.place))


def _fill_database(settings: Settings, screen: Screen) -> None:
    """Bring the tables up to date and put demo data into an empty database; loads heavy modules only when needed."""
    database = reach_database(settings)
    if database.revision != head_revision():
        from infra.migrate import upgrade

        screen.say("Making the tables" if database.revision is None else "Bringing the tables up to date")
        upgrade(settings.database_url)
    if database.is_empty and settings.demo_data:
        from infra import demo_data
        from infra.database import make_engine
        from infra.payments.merchant_terms import default_terms

        async def load() -> None:
            engine = make_engine(settings, "tuan run")
            await demo_data.load(engine, default_terms(settings))
            await engine.dispose()

        screen.say("Loading demo data")
        asyncio.run(load())


def _start_children(supervisor: Supervisor, screen: Screen, api: ChildCommand, worker: ChildCommand) -> None:
    screen.say("Starting the API and the worker")
    supervisor.start(api, worker)


def _wait_until_ready(settings: Settings, api: ChildCommand, asked_to_stop: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while not asked_to_stop() and not is_ready(settings):
        if not api.is_alive():
            raise CannotStart("The API did not start; its last lines above say why.")
        if time.monotonic() > deadline:
            raise CannotStart(f"The API does not become ready within {READY_LIMIT_S} s; its lines above may say why.")
        time.sleep(LOOK_EVERY_S / 4)


def _stop(supervisor: Supervisor, screen: Screen) -> None:
    screen.say("Stopping")
    supervisor.stop()
    screen.say("Stopped")

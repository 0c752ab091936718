import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from infra.cannot_start import AlreadyRunning, EmbeddedServerBroken
from infra.embedded.directory import make_folders, taken
from infra.embedded.place import SOCKET_PATH_BYTES_MAX, Place, place_for
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.processes import leftover
from infra.embedded.throwaway import throwaway_servers
from infra.embedded.valkey import EmbeddedValkey


def query(place: Place, statement: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(place.database_url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture
def place(folder: Path) -> Place:
    made = place_for(folder / "data")
    with taken(made):
        make_folders(made)
    return made


@pytest.fixture
def postgres(place: Place) -> Any:
    server = EmbeddedPostgres(place, durable=False)
    yield server
    server.stop()


def test_what_was_written_survives_a_kill(place: Place, postgres: EmbeddedPostgres) -> None:
    """Kill -9 of PostgreSQL loses nothing that was committed, and the next start recovers at once."""
    postgres.start()
    query(place, "CREATE TABLE kept AS SELECT 1 AS number")
    assert postgres.process_id
    os.kill(postgres.process_id, signal.SIGKILL)
    postgres.start()
    assert query(place, "SELECT number FROM kept") == 1


def test_a_server_left_behind_is_stopped_first(place: Place, postgres: EmbeddedPostgres) -> None:
    """After kill -9 of `tuan run` its servers still run; the next start ends exactly those."""
    postgres.start()
    orphan = postgres.process_id
    successor = EmbeddedPostgres(place, durable=False)
    try:
        successor.start()
        assert successor.process_id != orphan
        assert not postgres.is_alive()
        assert query(place, "SELECT 1") == 1
    finally:
        successor.stop()


def test_a_pid_file_that_means_somebody_else_is_cleared(place: Place, postgres: EmbeddedPostgres) -> None:
    """A stale pid file whose number another program got by now harms neither that program nor the start."""
    postgres.start()
    assert postgres.process_id
    os.kill(postgres.process_id, signal.SIGKILL)
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        pid_file = place.postgres_data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        postgres.start()
        assert query(place, "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "x", "-1", "0", "999999999", "1 2 3"])
def test_a_broken_pid_file_means_nobody(tmp_path: Path, content: str) -> None:
    """Whatever a pid file says, only a process with our own marks is taken for ours."""
    (tmp_path / "pid").write_text(content)
    assert leftover(tmp_path / "pid", "postgres", str(tmp_path)) is None


def test_a_half_made_cluster_is_made_again(place: Place, postgres: EmbeddedPostgres) -> None:
    """Kill -9 during the first start leaves something unfinished; the next start does not build on it."""
    unfinished = place.home / "postgres.making"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert query(place, "SELECT 1") == 1
    assert not unfinished.exists()


def test_data_of_another_major_version_is_left_alone(place: Place, postgres: EmbeddedPostgres) -> None:
    """A newer wheel over old data says what to do instead of failing somewhere inside."""
    postgres.start()
    postgres.stop()
    (place.postgres_data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerBroken, match="made by PostgreSQL 17"):
        postgres.start()


def test_the_servers_own_words_explain_a_failed_start(place: Place, postgres: EmbeddedPostgres) -> None:
    """When PostgreSQL refuses to start, its reason is in the one line."""
    postgres.start()
    postgres.stop()
    (place.postgres_data / "postgresql.conf").write_text("work_mem = 'much'\n")
    with pytest.raises(EmbeddedServerBroken, match=r"PostgreSQL does not start: .*(work_mem|configuration file)"):
        postgres.start()


def test_nobody_listens_on_the_network(place: Place, postgres: EmbeddedPostgres) -> None:
    """The private servers are reached through sockets in a folder that only their user enters."""
    valkey = EmbeddedValkey(place)
    try:
        postgres.start()
        valkey.start()
        assert query(place, "SHOW listen_addresses") == ""
        assert place.sockets.stat().st_mode & 0o077 == 0
        assert place.valkey_socket.is_socket()
        for port in (5432, 6379):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    finally:
        valkey.stop()


def test_durability_is_postgresqls_own_by_default(place: Place) -> None:
    """What `tuan run` starts commits to disk."""
    server = EmbeddedPostgres(place)
    try:
        server.start()
        assert [query(place, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
            "on"
        ] * 3
    finally:
        server.stop()


def test_a_killed_valkey_starts_again_empty(place: Place) -> None:
    """Counters are lost, never late: nothing old is read back."""
    valkey = EmbeddedValkey(place)
    try:
        valkey.start()
        assert ask_valkey(place, b"SET a 1\r\n") == b"+OK\r\n"
        assert valkey.process_id
        os.kill(valkey.process_id, signal.SIGKILL)
        valkey.start()
        assert ask_valkey(place, b"GET a\r\n") == b"$-1\r\n"
    finally:
        valkey.stop()


def test_a_data_directory_is_held_by_one(place: Place) -> None:
    """The second to come is told who was first; when the first ends, the directory is free."""
    with taken(place), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), taken(place):
        pass
    with taken(place):
        pass


@pytest.mark.parametrize("name", ["deep/" * 30, "with, comma", "white space", "ünïcödé", "percent%41"])
def test_any_folder_name_has_sockets_that_fit(folder: Path, name: str) -> None:
    """Socket paths are limited and addresses have their own signs; any data directory works all the same."""
    place = place_for(folder / name)
    assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES_MAX
    assert place == place_for(folder / name)
    with taken(place):
        make_folders(place)
        with throwaway_servers(place):
            assert ask_valkey(place, b"PING\r\n") == b"+PONG\r\n"
            assert query(place, "SELECT 1") == 1
    if place.sockets.parent != place.home:
        place.sockets.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    """Under /tmp anybody may have made the folder first; its owner is checked before it is used."""
    place = place_for(folder / ("deep/" * 30))
    place.sockets.symlink_to(folder)
    try:
        with taken(place), pytest.raises(EmbeddedServerBroken, match="belongs to another user"):
            make_folders(place)
    finally:
        place.sockets.unlink()


def ask_valkey(place: Place, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(place.valkey_socket))
        connection.sendall(line)
        return connection.recv(100)

"""A private PostgreSQL: made once, reached only through a socket, durable as PostgreSQL is by default."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from infra.cannot_start import EmbeddedServerBroken
from infra.embedded.binaries import postgres_programs
from infra.embedded.place import DATABASE, ROLE, Place, make_private_dir
from infra.embedded.processes import (
    as_service_user,
    last_words,
    leftover,
    start_server,
    stop_leftover,
    stop_server,
    wait_until,
)

INITIALISE_LIMIT_S = 120
READY_LIMIT_S = 120  # crash recovery after a hard stop may take its time
STOP_LIMIT_S = 20
ORPHANS_LIMIT_S = 20  # how long backends of a killed server may hold its memory
STATUS_LINE = 7  # of postmaster.pid, where the server says "ready"


class EmbeddedPostgres:
    """The PostgreSQL of one data directory; `durable=False` is for tests, which may lose power but not a process."""

    name = "PostgreSQL"

    def __init__(self, place: Place, *, connections_max: int = 100, durable: bool = True) -> None:
        self._place = place
        self._connections_max = connections_max
        self._durable = durable
        self._log = place.logs / "postgres.log"
        self._programs = postgres_programs(place)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def is_new(self) -> bool:
        return not self._place.postgres_data.exists()

    def start(self) -> None:
        """Return when the server answers; raises EmbeddedServerBroken with the server's own last words."""
        self.stop()
        if self.is_new():
            self._initialise()
        self._refuse_other_version()
        self._clear_leftover()
        deadline = time.monotonic() + ORPHANS_LIMIT_S
        while not self._started():
            if "shared memory block" not in last_words(self._log) or time.monotonic() > deadline:
                raise EmbeddedServerBroken(f"PostgreSQL does not start: {last_words(self._log)} (see {self._log})")

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        if self._process and self.is_alive():
            self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, what was committed is checkpointed."""
        if self._process:
            stop_server(self._process, signal.SIGINT, signal.SIGQUIT, limit_s=STOP_LIMIT_S)

    def _started(self) -> bool:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._place.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": str(self._connections_max),
            "log_timezone": "UTC",
            "log_parameter_max_length": "0",  # a slow statement is no reason to log somebody's address
            "cluster_name": "tuan",
        }
        if not self._durable:
            # Not synchronous_commit: off, it keeps commits in the server's own memory and kill -9 loses them.
            options |= {"fsync": "off", "full_page_writes": "off"}
        command = [str(self._programs / "postgres"), "-D", str(self._place.postgres_data)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = start_server(self._place, command, self._log)
        if wait_until(self._is_ready, self._process, READY_LIMIT_S):
            return True
        self.stop()
        return False

    def _is_ready(self) -> bool:
        try:
            lines = (self._place.postgres_data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return ours and len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def _clear_leftover(self) -> None:
        """Stop a server that an earlier run left behind, and forget one whose process number means another by now."""
        pid_file = self._place.postgres_data / "postmaster.pid"
        process = leftover(pid_file, "postgres", str(self._place.postgres_data))
        if process:
            stop_leftover(process, signal.SIGINT, STOP_LIMIT_S)
        pid_file.unlink(missing_ok=True)
        (self._place.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _refuse_other_version(self) -> None:
        ours = self._tool("postgres", "--version").split()[2].split(".")[0]
        theirs = (self._place.postgres_data / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise EmbeddedServerBroken(
                f"{self._place.postgres_data} was made by PostgreSQL {theirs}, this is {ours}; "
                "move it away to start empty, or set DATABASE_URL to a server that has the data."
            )

    def _initialise(self) -> None:
        """Make the cluster under another name first: a cluster that has its name is whole."""
        making = self._place.home / "postgres.making"
        shutil.rmtree(making, ignore_errors=True)
        make_private_dir(making, self._place.service_user)
        self._tool(
            "initdb",
            *("-D", str(making), "-U", ROLE, "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            *("--auth-local=peer", "--auth-host=reject", "--no-instructions"),
            *(() if self._durable else ("--no-sync",)),
        )
        self._write(making / "pg_hba.conf", "local all all peer map=tuan\n")
        self._write(making / "pg_ident.conf", f'tuan "{pwd.getpwuid(os.geteuid()).pw_name}" {ROLE}\n')
        create = f"CREATE DATABASE {DATABASE}\n"
        self._tool("postgres", "--single", "-D", str(making), "postgres", words_in=create)
        making.rename(self._place.postgres_data)

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text)  # initdb made the file: its owner and mode stay

    def _tool(self, program: str, *arguments: str, words_in: str = "") -> str:
        try:
            answer = subprocess.run(  # noqa: S603  a fixed program from our own wheels
                [str(self._programs / program), *arguments],
                check=False,
                capture_output=True,
                text=True,
                input=words_in,
                timeout=INITIALISE_LIMIT_S,
                **as_service_user(self._place),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedServerBroken(f"{program} does not work here: {error}") from error
        if answer.returncode != 0:
            reason = next((line for line in answer.stderr.splitlines() if "error" in line), answer.stderr.strip())
            raise EmbeddedServerBroken(f"{program} failed: {reason[:300]}")
        return str(answer.stdout)

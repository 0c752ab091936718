"""A private Valkey, reached only through a socket.

It keeps nothing on disk on purpose: a counter that is lost is rebuilt from PostgreSQL, one restored from an old
snapshot would be late (promise 7), and no work depends on a queued job surviving.
"""

import signal
import socket
import subprocess

from infra.cannot_start import EmbeddedServerBroken
from infra.embedded.binaries import valkey_program
from infra.embedded.place import Place
from infra.embedded.processes import (
    last_words,
    leftover,
    start_server,
    stop_leftover,
    stop_server,
    wait_until,
)

READY_LIMIT_S = 20
STOP_LIMIT_S = 5


class EmbeddedValkey:
    """The Valkey of one data directory."""

    name = "Valkey"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._log = place.logs / "valkey.log"
        self._pid_file = place.valkey_data / "valkey.pid"
        self._program = valkey_program(place)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Return when the server answers; raises EmbeddedServerBroken with the server's own last words."""
        self.stop()
        self._clear_leftover()
        options = {
            "port": "0",
            "unixsocket": str(self._place.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self._place.valkey_data),
            "pidfile": str(self._pid_file),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "proc-title-template": "{title} {unixsocket}",
        }
        command = [str(self._program), *(word for name, value in options.items() for word in (f"--{name}", value))]
        self._process = start_server(self._place, command, self._log)
        if not wait_until(self._answers, self._process, READY_LIMIT_S):
            self.stop()
            raise EmbeddedServerBroken(f"Valkey does not start: {last_words(self._log)} (see {self._log})")

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        if self._process and self.is_alive():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        if self._process:
            stop_server(self._process, signal.SIGTERM, limit_s=STOP_LIMIT_S)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self._place.valkey_socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def _clear_leftover(self) -> None:
        process = leftover(self._pid_file, "valkey", str(self._place.valkey_socket))
        if process:
            stop_leftover(process, signal.SIGTERM, STOP_LIMIT_S)
        self._pid_file.unlink(missing_ok=True)

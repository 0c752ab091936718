"""The API and the worker as children of `tuan run`."""

import os
import signal
import subprocess
import sys

KILL_GRACE_S = 3


class ChildCommand:
    """A `tuan` command in a session of its own: Ctrl-C in the terminal reaches `tuan run` only, which then asks it."""

    def __init__(self, name: str, command: str, stop_timeout_s: int) -> None:
        self.name = name
        self._command = command
        self._stop_timeout_s = stop_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_status(self) -> int | None:
        return self._process.poll() if self._process else None

    def start(self) -> None:
        self.stop()
        reading, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603  this very program
                # -P: a folder called `api` where the user stands must not be taken for ours.
                [sys.executable, "-P", "-m", "cli.main", self._command, "--lifeline", str(reading)],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[reading],
            )
        finally:
            os.close(reading)

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        if self._process and self.is_alive():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        self.ask_to_stop()
        if self._process:
            try:
                self._process.wait(self._stop_timeout_s + KILL_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._drop_lifeline()

    def _drop_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

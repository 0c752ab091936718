"""Running wrk: one thread that keeps connections busy, each request a shopper of its own."""

import shutil
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.cannot_measure import CannotMeasure

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 64
GRACE_S = 30
_RESULT = "RESULT "


class Result(msgspec.Struct, frozen=True):
    """What wrk counted; `refused` are answers of 400 and above, `broken` are requests without an answer."""

    requests: int
    duration_us: int
    refused: int
    broken: int
    p50_us: int
    p99_us: int

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return self.requests * 1e6 / self.duration_us


@dataclass(frozen=True, slots=True)
class Request:
    """What the requests of a run are made of; `paths` and `bodies` are taken in turn."""

    method: str
    paths: tuple[str, ...]
    body: str | None = None
    anonymous: bool = False
    bodies: tuple[str, ...] = ()


class Wrk:
    """Sends load to one API; tokens go on from run to run, so that none comes again while the API remembers it."""

    def __init__(self, address: str, tokens: Path) -> None:
        self._address = address
        self._tokens = tokens
        self._next_token = 0
        self._numbers = count(1)

    def run(
        self, request: Request, duration_s: int, connections: int = CONNECTIONS, *, refusals: bool = False
    ) -> Result:
        """Raises CannotMeasure when another answer came than expected: `refusals` says that all are to be refused."""
        result = self._run(request, duration_s, connections)
        if not request.anonymous:
            self._next_token += result.requests + connections
        expected = result.requests if refusals else 0
        if abs(result.refused - expected) or result.broken or not result.requests:
            raise CannotMeasure(f"{request.method} {request.paths[0]} did not answer as it should: {result}")
        return result

    def _run(self, request: Request, duration_s: int, connections: int) -> Result:
        number, bodies = next(self._numbers), request.bodies or ((request.body,) if request.body else ())
        paths, body_file = (self._tokens.with_name(f"{name}-{number}") for name in ("paths", "bodies"))
        paths.write_text("\n".join(request.paths))
        body_file.write_text("\n".join(bodies))
        tokens = "-" if request.anonymous else str(self._tokens)
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{duration_s}s",
            "--timeout",
            f"{GRACE_S}s",
            "-s",
            str(SCRIPT),
            self._address,
            "--",
        ]
        command += [request.method, str(paths), tokens, str(self._next_token), str(body_file) if bodies else "-"]
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=duration_s + GRACE_S)
        line = next((line for line in answer.stdout.splitlines() if line.startswith(_RESULT)), None)
        if line is None:
            raise CannotMeasure(f"wrk failed: {answer.stderr.strip() or answer.stdout.strip()}")
        return msgspec.json.decode(line.removeprefix(_RESULT), type=Result)


def require_wrk() -> None:
    """Raises CannotMeasure where wrk is missing."""
    if shutil.which("wrk") is None:
        raise CannotMeasure(
            "wrk is missing: install it (Debian, Ubuntu: apt-get install wrk; macOS: brew install wrk)."
        )

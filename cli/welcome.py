"""What `tuan run` shows: a line per step, then where everything is."""

import os
import sys

from cli.probe import own_address
from infra.messages.console_rules import has_inbox
from infra.settings import Settings

_BOLD, _DIM, _GREEN, _PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[0m"


class Screen:
    """Lines on standard output, with colour where a person looks at it; nobody has to read to the end.

    Whoever closes the pipe (`tuan run | head`) hears no more, and everything can still be stopped in order.
    """

    def __init__(self) -> None:
        self._colours = sys.stdout.isatty()
        self._is_heard = True

    def say(self, line: str) -> None:
        self.show(f"  {_DIM}·{_PLAIN} {line}")

    def show(self, text: str) -> None:
        if not self._colours:
            for code in (_BOLD, _DIM, _GREEN, _PLAIN):
                text = text.replace(code, "")
        if not self._is_heard:
            return
        try:
            print(text, flush=True)
        except BrokenPipeError:
            self._is_heard = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing to flush at the end either


def welcome(settings: Settings, took_s: float) -> str:
    """Where to look and what to try; fits a terminal of 80 columns unless paths are long."""
    address = own_address(settings)
    postgres = f"in {settings.place.postgres_data}" if settings.database_is_embedded else "given by DATABASE_URL"
    valkey = "in memory only, made again from PostgreSQL" if settings.redis_is_embedded else "given by REDIS_URL"
    rows = [
        ("API", address),
        ("docs", f"{address}/schema"),
        ("look", f"curl -s '{address}/v1/deals?limit=3'"),
        ("sign in", "POST /v1/sign-in/codes, then /v1/sign-in/code (see the README)"),
        ("codes", f"{address}/dev/inbox   (they are sent nowhere else)"),
        ("try", ".venv/bin/tuan demo   (in a second terminal: watch a price fall)"),
        ("data", postgres),
        ("counters", valkey),
    ]
    if not has_inbox(settings):
        rows = [row for row in rows if row[0] != "codes"]
    lines = [f"\n  {_GREEN}●{_PLAIN} {_BOLD}Tuan is running{_PLAIN} {_DIM}(ready in {took_s:.1f} s){_PLAIN}\n"]
    lines += [f"    {_DIM}{label:<9}{_PLAIN}{value}" for label, value in rows]
    return "\n".join([*lines, f"\n  {_DIM}Ctrl-C stops everything.{_PLAIN}\n"])

"""The API exactly as `tuan serve` runs it, with the benchmarks' own routes beside the product's."""

import argparse
from collections.abc import Callable
from typing import Any

from cli.lifeline import add_lifeline, hold_lifeline
from cli.reach import require_free_port
from cli.serve import allow_many_connections, load_api, serve
from infra.settings import read_settings


def load_measured_api() -> Callable[..., Any]:
    """The ASGI app; called once in each API process."""
    from benchmarks.handlers import HANDLERS  # noqa: PLC0415 - loaded where it is served, as `tuan serve` does

    return load_api(HANDLERS)


def main() -> None:
    parser = argparse.ArgumentParser()
    add_lifeline(parser)
    settings = read_settings()
    hold_lifeline(parser.parse_args().lifeline, settings.stop_timeout_s + 1)
    allow_many_connections()
    serve(settings, require_free_port(settings), load_measured_api)


if __name__ == "__main__":
    main()

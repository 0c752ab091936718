"""The API exactly as `tuan serve` runs it, with the benchmarks' own routes beside the product's."""

import argparse
from collections.abc import Callable
from typing import Any

from cli.lifeline import add_lifeline, hold_lifeline, hold_parent_process
from cli.reach import require_free_port
from cli.serve import allow_many_connections, serve
from infra.logging import set_up_logging
from infra.settings import read_settings


def load_measured_api() -> Callable[..., Any]:
    """The ASGI app; called once in each API process."""
    from api.app import create_app  # noqa: PLC0415 - loaded where it is served, as `tuan serve` does
    from benchmarks.handlers import HANDLERS  # noqa: PLC0415 - the same

    settings = read_settings()
    set_up_logging(settings)
    hold_parent_process(settings.stop_timeout_s)
    return create_app(settings, extra_handlers=HANDLERS)


def main() -> None:
    parser = argparse.ArgumentParser()
    add_lifeline(parser)
    settings = read_settings()
    hold_lifeline(parser.parse_args().lifeline, settings.stop_timeout_s + 1)
    allow_many_connections()
    serve(settings, require_free_port(settings), load_measured_api)


if __name__ == "__main__":
    main()

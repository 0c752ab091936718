"""Log lines: one per event, for people on a terminal or as JSON for machines, on standard error."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from infra.settings import Settings


class _Errors:
    """Standard error, where what cannot be written (a pipe nobody reads, a full disk) is lost and fails no work."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def set_up_logging(settings: Settings) -> None:
    """Send structlog and the standard library's loggers through one pipe; called once per process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    before: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    errors = _Errors()
    structlog.configure(
        processors=[*before, _renderer(settings)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", errors)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(errors)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # it tells which selector it uses
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells every request to a gateway


def _renderer(settings: Settings) -> Callable[..., Any]:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

"""The settings of the servers, of the processes, and of whom they listen to."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings_values import Network, networks, on_or_off, one_of, origins, path, url, whole_number, words
from infra.settings_variable import variable


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """Where things are, how many there are of them, and for how long and for whom they work."""

    database_url: str = variable(
        "DATABASE_URL",
        url("postgresql", "postgres"),
        "",
        "PostgreSQL 15 or later",
        default_shown="a private server in the data directory",
    )
    redis_url: str = variable(
        "REDIS_URL",
        url("redis", "rediss", "unix"),
        "",
        "Redis 6.2 or later, or Valkey",
        default_shown="a private server in the data directory",
    )
    host: str = variable(
        "TUAN_HOST", words(), "127.0.0.1", "address the API listens on; 0.0.0.0 opens it to the network"
    )
    port: int = variable("TUAN_PORT", whole_number(1, 65_535), 8000, "port the API listens on")
    data_dir: Path = variable(
        "TUAN_DATA_DIR", path(), Path(".tuan"), "where private servers and keys live", default_shown=".tuan"
    )
    api_processes: int = variable("TUAN_API_PROCESSES", whole_number(1, 64), 1, "API processes behind the port")
    demo_data: bool = variable(
        "TUAN_DEMO_DATA",
        on_or_off(),
        default=True,
        meaning="whether `tuan run` fills an empty database",
        default_shown="on",
    )
    rate_limits: bool = variable(
        "TUAN_RATE_LIMITS",
        on_or_off(),
        default=True,
        meaning="whether requests are limited per account, address and phone number; off for benchmarks",
        default_shown="on",
    )
    trusted_proxies: tuple[Network, ...] = variable(
        "TUAN_TRUSTED_PROXIES",
        networks(),
        (),
        "proxies that are believed when they say from which address a request came",
        default_shown="none",
    )
    proxy_header: str = variable(
        "TUAN_PROXY_HEADER",
        one_of("x-forwarded-for", "forwarded"),
        "x-forwarded-for",
        "the header in which they say it; the other one is not read",
    )
    cors_origins: tuple[str, ...] = variable(
        "TUAN_CORS_ORIGINS", origins(), (), "origins whose pages may read answers", default_shown="none"
    )
    hsts_s: int = variable(
        "TUAN_HSTS_S",
        whole_number(0, 63_072_000),
        0,
        "how long browsers are told to come by HTTPS only, in s; 0: not told",
    )
    log_level: str = variable(
        "TUAN_LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info", "least severe line to log"
    )
    log_format: str = variable(
        "TUAN_LOG_FORMAT", one_of("console", "json"), "console", "log lines for people or for machines"
    )
    batch_commands_max: int = variable(
        "TUAN_BATCH_COMMANDS_MAX", whole_number(1, 4096), 256, "commands one transaction carries at most"
    )
    queue_commands_max: int = variable(
        "TUAN_QUEUE_COMMANDS_MAX", whole_number(1, 65_536), 4096, "commands waiting per process before it answers 503"
    )
    database_connections_max: int = variable(
        "TUAN_DATABASE_CONNECTIONS_MAX",
        whole_number(2, 200),
        10,
        "PostgreSQL connections per process for reads; writes, sign-ins and duties take up to 34 more",
    )
    lock_timeout_ms: int = variable(
        "TUAN_LOCK_TIMEOUT_MS", whole_number(100, 60_000), 1_000, "longest wait for a row lock, in ms"
    )
    statement_timeout_ms: int = variable(
        "TUAN_STATEMENT_TIMEOUT_MS", whole_number(100, 600_000), 10_000, "longest a statement may run, in ms"
    )
    stop_timeout_s: int = variable(
        "TUAN_STOP_TIMEOUT_S", whole_number(1, 300), 10, "how long open requests may take when stopping, in s"
    )

"""Every setting of Tuan, read once from the environment.

A new setting is one field of `Settings`; the README's table is made from the same fields.
"""

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from infra.cannot_start import WrongSetting
from infra.embedded.place import Place, place_for
from infra.settings_values import (
    Network,
    Reader,
    mailbox,
    names,
    networks,
    on_or_off,
    one_of,
    origins,
    path,
    shown,
    url,
    web_address,
    whole_number,
    words,
)

PREFIX = "TUAN_"
PAYMENT_GATEWAYS = ("sandbox", "stripe", "none")
"""Who may take shoppers' money; with `none` prices are told, not taken."""

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, how it is read, and what it means to a person."""

    name: str
    reader: Reader[Any]
    meaning: str
    default_shown: str


def variable(
    name: str, reader: Reader[Value], default: Default, meaning: str, *, default_shown: str | None = None
) -> Value | Default:
    described = Variable(name, reader, meaning, str(default) if default_shown is None else default_shown)
    return cast("Value | Default", dataclasses.field(default=default, metadata={"variable": described}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may decide; bounds and addresses, never rules of the product."""

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
    token_issuer: str = variable("TUAN_TOKEN_ISSUER", words(), "tuan", "`iss` that access tokens must carry")
    token_audience: str = variable("TUAN_TOKEN_AUDIENCE", words(), "tuan-api", "`aud` that access tokens must carry")
    token_private_key_file: Path | None = variable(
        "TUAN_TOKEN_PRIVATE_KEY_FILE",
        path(),
        None,
        "PEM of the P-256 key that access tokens are signed with",
        default_shown="made in the data directory",
    )
    token_public_keys_dir: Path | None = variable(
        "TUAN_TOKEN_PUBLIC_KEYS_DIR",
        path(),
        None,
        "folder of the P-256 public keys (*.pem) that the API trusts",
        default_shown="the private key's own",
    )
    stripe_api_key_file: Path | None = variable(
        "TUAN_STRIPE_API_KEY_FILE",
        path(),
        None,
        "file that holds Stripe's secret key (`sk_...`) and nothing else",
        default_shown="Stripe is not used",
    )
    stripe_webhook_secret_file: Path | None = variable(
        "TUAN_STRIPE_WEBHOOK_SECRET_FILE",
        path(),
        None,
        "file that holds the signing secret (`whsec_...`) of Stripe's webhooks",
        default_shown="Stripe is not used",
    )
    stripe_api_base: str = variable(
        "TUAN_STRIPE_API_BASE",
        url("https", "http"),
        "",
        "where Stripe's API is, for a stand-in",
        default_shown="https://api.stripe.com",
    )
    apple_client_ids: tuple[str, ...] = variable(
        "TUAN_APPLE_CLIENT_IDS", names(), (), "our apps at Apple: bundle and service ids", default_shown="not offered"
    )
    google_client_ids: tuple[str, ...] = variable(
        "TUAN_GOOGLE_CLIENT_IDS", names(), (), "our apps at Google: OAuth client ids", default_shown="not offered"
    )
    facebook_app_ids: tuple[str, ...] = variable(
        "TUAN_FACEBOOK_APP_IDS", names(), (), "our apps at Facebook (Limited Login)", default_shown="not offered"
    )
    openid_base: str = variable(
        "TUAN_OPENID_BASE",
        url("https", "http"),
        "",
        "a stand-in for Apple, Google and Facebook: issuers `{base}/apple` and so on, keys at `{base}/apple/jwks`",
        default_shown="the providers themselves",
    )
    wechat_app_id: str = variable(
        "TUAN_WECHAT_APP_ID", words(), "", "our app at WeChat (`wx...`)", default_shown="not offered"
    )
    wechat_secret_file: Path | None = variable(
        "TUAN_WECHAT_SECRET_FILE",
        path(),
        None,
        "file that holds that app's secret and nothing else",
        default_shown="not offered",
    )
    wechat_api_base: str = variable(
        "TUAN_WECHAT_API_BASE",
        url("https", "http"),
        "",
        "where WeChat's API is, for a stand-in",
        default_shown="https://api.weixin.qq.com",
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
    codes_key_file: Path | None = variable(
        "TUAN_CODES_KEY_FILE",
        path(),
        None,
        "file of 32 random bytes that one-time codes are made with; the same for all API processes",
        default_shown="made in the data directory",
    )
    message_gateway: str = variable(
        "TUAN_MESSAGE_GATEWAY",
        one_of("console", "none"),
        "",
        "where messages go that nothing below carries; console: a log line, and `/dev/inbox` for all to read",
        default_shown="console where nothing below is set (its inbox only on loopback and without proxies), else none",
    )
    sms_url: str = variable(
        "TUAN_SMS_URL",
        web_address("https", "http"),
        "",
        "where text messages are posted to ([how](docs/messages.md))",
        default_shown="no text messages",
    )
    sms_key_file: Path | None = variable(
        "TUAN_SMS_KEY_FILE",
        path(),
        None,
        "file that holds the key text messages are signed with, 32 characters or more",
        default_shown="no text messages",
    )
    smtp_url: str = variable(
        "TUAN_SMTP_URL",
        web_address("smtps", "smtp"),
        "",
        "mail server: `smtps://user@host`, or `smtp://user@host` for STARTTLS",
        default_shown="no e-mail",
    )
    smtp_password_file: Path | None = variable(
        "TUAN_SMTP_PASSWORD_FILE",
        path(),
        None,
        "file that holds the password of the user in `TUAN_SMTP_URL`",
        default_shown="no password",
    )
    mail_from: str = variable(
        "TUAN_MAIL_FROM", mailbox(), "", "the address that letters come from", default_shown="no e-mail"
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
    payment_gateway: str = variable(
        "TUAN_PAYMENT_GATEWAY",
        one_of(*PAYMENT_GATEWAYS),
        "sandbox",
        "who takes shoppers' money for deals published from now on; none: prices are told, not taken",
    )
    payment_timeout_s: int = variable(
        "TUAN_PAYMENT_TIMEOUT_S",
        whole_number(1, 86_400),
        600,
        "how long a place is kept for an unfinished payment, in s",
    )
    platform_fee_bps: int = variable(
        "TUAN_PLATFORM_FEE_BPS",
        whole_number(0, 10_000),
        0,
        "the platform's part of what merchants capture, in basis points",
    )
    sandbox_strategy: str = variable(
        "TUAN_SANDBOX_STRATEGY",
        one_of("hold_and_capture", "pay_and_refund"),
        "hold_and_capture",
        "how the sandbox takes money: holds the ceiling, or takes it and refunds the difference",
    )
    sandbox_hold_lifetime_s: int = variable(
        "TUAN_SANDBOX_HOLD_LIFETIME_S",
        whole_number(3_660, 31_536_000),
        2_678_400,
        "how long the sandbox holds money, in s; groups may run for an hour less",
    )
    sandbox_webhook_url: str = variable(
        "TUAN_SANDBOX_WEBHOOK_URL",
        url("http", "https"),
        "",
        "where the sandbox sends its webhooks",
        default_shown="the API on this machine",
    )
    stop_timeout_s: int = variable(
        "TUAN_STOP_TIMEOUT_S", whole_number(1, 300), 10, "how long open requests may take when stopping, in s"
    )

    @property
    def place(self) -> Place:
        """Where the private servers of this data directory are."""
        return place_for(self.data_dir)

    @property
    def sandbox_webhooks_go_to(self) -> str:
        """The address that was set, or this machine's API; one that listens everywhere is reached at home."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return self.sandbox_webhook_url or f"http://{host}:{self.port}/v1/webhooks/sandbox"

    @property
    def database_is_embedded(self) -> bool:
        return self.database_url == self.place.database_url

    @property
    def redis_is_embedded(self) -> bool:
        return self.redis_url == self.place.redis_url


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises WrongSetting for a value that is not accepted and for a TUAN_ variable that does not exist."""
    _refuse_unknown(environment)
    given: dict[str, Any] = {
        field.name: _read(field.metadata["variable"], environment[field.metadata["variable"].name])
        for field in dataclasses.fields(Settings)
        if environment.get(field.metadata["variable"].name)  # `TUAN_PORT=` means: not set
    }
    place = place_for(given.setdefault("data_dir", Path(".tuan").absolute()))
    return Settings(**({"database_url": place.database_url, "redis_url": place.redis_url} | given))


def variables() -> tuple[Variable, ...]:
    """All variables in the order of the README's table."""
    return tuple(field.metadata["variable"] for field in dataclasses.fields(Settings))


def _read(described: Variable, text: str) -> object:
    try:
        return described.reader.read(text)
    except (ValueError, RuntimeError) as error:  # RuntimeError: `~nobody` names no home
        raise WrongSetting(f"{described.name} is {shown(text)}; expected {described.reader.accepts}.") from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [described.name for described in variables()]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            by_word = {other.removeprefix(PREFIX): other for other in known}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), by_word, n=1)
            hint = f"did you mean {by_word[near[0]]}?" if near else "the README lists the settings."
            raise WrongSetting(f"{name} is no setting of Tuan; {hint}")

"""The settings of payments: who takes the money, for how long, and what of it the platform keeps."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings_values import one_of, path, url, web_address, whole_number
from infra.settings_variable import variable

PAYMENT_GATEWAYS = ("sandbox", "stripe", "none")
"""Who may take shoppers' money; with `none` prices are told, not taken."""


@dataclass(frozen=True, kw_only=True)
class MoneySettings:
    """Whose hands shoppers' money is in."""

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
        web_address("http", "https"),
        "",
        "where the sandbox sends its webhooks",
        default_shown="the API on this machine",
    )

"""The Stripe gateway as the settings describe it; its secrets are in files, as an environment has many readers."""

import re
from pathlib import Path

from infra.cannot_start import WrongSetting
from infra.payments.stripe_gateway import StripeGateway
from infra.settings import Settings

_SECRET = re.compile(r"[!-~]{8,255}")


def stripe_gateway(settings: Settings) -> StripeGateway:
    """Raises `WrongSetting` where a file is not named, cannot be read or holds no secret."""
    return StripeGateway(
        api_key=_secret("TUAN_STRIPE_API_KEY_FILE", settings.stripe_api_key_file, "a secret key (sk_...)"),
        webhook_secret=_secret(
            "TUAN_STRIPE_WEBHOOK_SECRET_FILE", settings.stripe_webhook_secret_file, "a webhook's secret (whsec_...)"
        ),
        api_base=settings.stripe_api_base or None,
    )


def _secret(variable: str, file: Path | None, what: str) -> str:
    if file is None:
        raise WrongSetting(f"{variable} is not set; name a file that holds {what} of Stripe.")
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSetting(f"{variable}: {file} cannot be read ({type(error).__name__}).") from error
    if not _SECRET.fullmatch(text):
        raise WrongSetting(f"{variable}: {file} does not hold {what} and nothing else.")
    return text

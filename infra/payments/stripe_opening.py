"""The Stripe gateway as the settings describe it; its secrets are in files."""

from infra.payments.stripe_gateway import StripeGateway
from infra.secret_files import read_secret
from infra.settings import Settings


def stripe_gateway(settings: Settings) -> StripeGateway:
    """Raises `WrongSetting` where a file is not named, cannot be read or holds no secret."""
    return StripeGateway(
        api_key=read_secret(
            "TUAN_STRIPE_API_KEY_FILE", settings.stripe_api_key_file, "a secret key (sk_...) of Stripe"
        ),
        webhook_secret=read_secret(
            "TUAN_STRIPE_WEBHOOK_SECRET_FILE",
            settings.stripe_webhook_secret_file,
            "a webhook's secret (whsec_...) of Stripe",
        ),
        api_base=settings.stripe_api_base or None,
    )

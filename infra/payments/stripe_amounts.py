"""Which amounts Stripe counts as ISO 4217 does, so that they cross unchanged.

Source: https://docs.stripe.com/currencies#special-cases
"""

from domain.pricing.currency import MINOR_DIGITS
from infra.payments.port import GatewayRefused

COUNTED_OTHERWISE = frozenset({"ISK", "MGA", "UGX"})
"""ISK and UGX have no minor unit in ISO 4217 and two decimals at Stripe; MGA has two in ISO 4217 and none at Stripe."""
THREE_DIGIT_STEP_MINOR = 10
"""Of currencies with three digits Stripe wants the last one to be 0."""


def refuse_inexact(amount_minor: int, currency: str) -> None:
    """Raises `GatewayRefused` for what Stripe cannot hold exactly, rather than round what a shopper agreed to."""
    refuse_not_positive(amount_minor)
    if currency in COUNTED_OTHERWISE:
        raise GatewayRefused("currency_not_supported", f"Stripe counts {currency} in other units than ISO 4217 does.")
    if MINOR_DIGITS.get(currency) == 3 and amount_minor % THREE_DIGIT_STEP_MINOR:
        raise GatewayRefused(
            "amount_not_representable",
            f"Stripe takes {currency} in steps of {THREE_DIGIT_STEP_MINOR} minor units; {amount_minor} is between two.",
        )


def refuse_not_positive(amount_minor: int) -> None:
    """Raises `GatewayRefused`: a capture or refund of nothing is a mistake of the caller, and 0 means "all" to some."""
    if amount_minor <= 0:
        raise GatewayRefused("amount_not_positive", f"{amount_minor} is no amount to move; it must be above 0.")

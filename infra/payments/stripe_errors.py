"""What Stripe's errors mean to the port: no answer, or a clear no; no message carries a key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import stripe

from infra.payments.port import CALL_TIMEOUT_S, OUR_FAULT, GatewayRefused, GatewayTrouble, GatewayUnavailable

LIMIT_S = CALL_TIMEOUT_S - 0.5
"""How long a call of the port may take, all its requests to Stripe together."""
DETAIL_LENGTH_MAX = 200


@asynccontextmanager
async def heard_as_trouble() -> AsyncIterator[None]:
    """What happens inside raises nothing but `GatewayTrouble`, and is over in time."""
    try:
        async with asyncio.timeout(LIMIT_S):
            yield
    except TimeoutError:
        raise GatewayUnavailable(f"Stripe gave no answer within {LIMIT_S} s.") from None
    except stripe.StripeError as error:
        raise trouble(error) from None  # the library's error carries headers and bodies; what matters is in ours
    except msgspec.ValidationError as error:
        raise GatewayUnavailable(f"Stripe's answer cannot be read: {error}.") from error


def trouble(error: stripe.StripeError) -> GatewayTrouble:
    """The port's word for an error of Stripe; 409 (its key is in use) and 429 mean that it may work a moment later."""
    match error:
        case stripe.AuthenticationError() | stripe.PermissionError():
            return GatewayRefused(OUR_FAULT, "Stripe does not accept the API key; check TUAN_STRIPE_API_KEY_FILE.")
        case stripe.IdempotencyError():
            return GatewayRefused("idempotency_mismatch", "The key was used before with other values.")
        case stripe.CardError():
            return GatewayRefused(error.code or "card_declined", in_short(error))
        case stripe.InvalidRequestError():
            return GatewayRefused(error.code or "invalid_request", in_short(error))
        case _:
            return GatewayUnavailable(f"Stripe cannot be reached or is at fault ({_kind(error)}).")


def in_short(error: stripe.StripeError) -> str:
    """Stripe's sentence for a person, on one line and bounded."""
    said = " ".join((error.user_message or type(error).__name__).split())
    return said if len(said) <= DETAIL_LENGTH_MAX else said[: DETAIL_LENGTH_MAX - 1] + "…"


def _kind(error: stripe.StripeError) -> str:
    return f"HTTP {error.http_status}" if error.http_status else type(error).__name__

"""Webhooks of Stripe: what is signed with our secret and fresh is heard (https://docs.stripe.com/webhooks#verify-manually)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import stripe

from infra.payments.port import WebhookEvent, WebhookRefused
from infra.payments.stripe_intents import STATES, order_id_in

TOLERANCE_S = 300
"""How far the time in a signature may be from ours, either way; Stripe's own libraries allow as much."""
SIGNATURE_HEADER = "stripe-signature"


class _Data(msgspec.Struct, frozen=True):
    object: dict[str, Any]


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: _Data | None = None


def read_event(body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> WebhookEvent:
    """The event in a webhook; raises `WebhookRefused`."""
    _verify(body, headers.get(SIGNATURE_HEADER, ""), secret, now)
    try:
        event = msgspec.json.decode(body, type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WebhookRefused("The webhook is signed, but is no event of Stripe.") from None
    about = event.data.object if event.data else {}
    status = about.get("status") if about.get("object") == "payment_intent" else None
    return WebhookEvent(
        id=event.id,
        kind=event.type,
        order_id=order_id_in(about.get("metadata")),
        state=STATES.get(status) if isinstance(status, str) else None,
    )


def _verify(body: bytes, signature: str, secret: str, now: datetime) -> None:
    """The library compares the signature; the age is measured here, against the caller's clock."""
    if not signature:
        raise WebhookRefused("The webhook is not signed: it has no Stripe-Signature header.")
    try:
        if signature.isascii():  # the comparison behind this takes nothing else
            stripe.WebhookSignature.verify_header(body, signature, secret)
        else:
            raise WebhookRefused("The webhook's signature is unreadable.")
    except UnicodeDecodeError:
        raise WebhookRefused("The webhook is unreadable: it is not UTF-8.") from None
    except stripe.SignatureVerificationError:
        raise WebhookRefused("The webhook's signature is not ours.") from None
    if abs(now.timestamp() - _signed_at(signature)) > TOLERANCE_S:
        raise WebhookRefused(f"The webhook is stale: it was signed more than {TOLERANCE_S} s from now.")


def _signed_at(signature: str) -> int:
    """The first `t=`, which is the one the library signs with."""
    return int(next(item.split("=", 2)[1] for item in signature.split(",") if item.split("=", 2)[0] == "t"))

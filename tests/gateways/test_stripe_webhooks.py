"""Stripe's webhooks, beyond the contract: the scheme of their signature and the objects they may be about."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from infra.ids import new_id
from infra.payments.port import GatewayState, WebhookEvent, WebhookRefused
from infra.payments.stripe_webhooks import read_event
from tests.gateways.stripe_answers import charge, held, refund
from tests.gateways.stripe_subject import WEBHOOK_SECRET, event, signed
from tests.gateways.subject import Sent

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ORDER = new_id()


def _read(sent: Sent, now: datetime = NOW) -> WebhookEvent:
    return read_event(sent.body, sent.headers, WEBHOOK_SECRET, now)


def test_stripes_own_signature_is_heard() -> None:
    """The library's signer and ours write the same header."""
    body = event("payment_intent.amount_capturable_updated", held(ORDER))
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET, int(NOW.timestamp()))
    assert signed(body, NOW).headers["stripe-signature"] == header
    heard = _read(Sent(body, {"stripe-signature": header}))
    assert (heard.kind, heard.order_id) == ("payment_intent.amount_capturable_updated", ORDER)
    assert heard.state is GatewayState.HELD
    assert heard.id == json.loads(body)["id"]


def test_while_the_secret_is_rolled_either_signature_is_good() -> None:
    """Stripe signs with the old and the new secret for a day."""
    body = event("payment_intent.succeeded", held(ORDER))
    header = signed(body, NOW, "whsec_another").headers["stripe-signature"]
    both = f"{header},{signed(body, NOW).headers['stripe-signature'].split(',')[1]},v0=aa"
    assert _read(Sent(body, {"stripe-signature": both})).order_id == ORDER


@pytest.mark.parametrize("late_s", [301, 100_000, -301])
def test_a_time_too_far_from_ours_is_refused(late_s: int) -> None:
    """Older than five minutes is a replay; newer is a clock that must be set right."""
    with pytest.raises(WebhookRefused, match="stale"):
        _read(signed(event("payment_intent.succeeded", held(ORDER)), NOW), NOW + timedelta(seconds=late_s))


def test_the_time_is_the_signed_one() -> None:
    """A fresh time put behind the old one does not freshen it."""
    sent = signed(event("payment_intent.succeeded", held(ORDER)), NOW)
    fresh = NOW + timedelta(hours=1)
    for header in (
        f"{sent.headers['stripe-signature']},t={int(fresh.timestamp())}",
        f"t={int(fresh.timestamp())},{sent.headers['stripe-signature']}",
    ):
        with pytest.raises(WebhookRefused):
            _read(Sent(sent.body, {"stripe-signature": header}), fresh)


@pytest.mark.parametrize("header", ["t={t},v1=é", "t={t}", "t={t},v0=aa", "v1=aa", "t=,v1=aa", "t", "=,=,="])
def test_a_header_that_is_no_signature_is_refused(header: str) -> None:
    """Whatever stands there, it is refused and nothing breaks."""
    body = event("payment_intent.succeeded", held(ORDER))
    with pytest.raises(WebhookRefused):
        _read(Sent(body, {"stripe-signature": header.format(t=int(NOW.timestamp()))}))


def test_another_secret_is_refused() -> None:
    """Whoever does not know our secret is not Stripe."""
    with pytest.raises(WebhookRefused, match="not ours"):
        _read(signed(event("payment_intent.succeeded", held(ORDER)), NOW, "whsec_another"))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[" * 100_000, b"null", b'{"id": 1, "type": "x"}', b'{"id": "evt", "type": "x", "data": []}']
)
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    """A signature vouches for who sent it, not for sense."""
    with pytest.raises(WebhookRefused):
        _read(signed(body, NOW))


def test_what_is_signed_and_not_text_is_refused() -> None:
    """Bytes that are no UTF-8."""
    with pytest.raises(WebhookRefused):
        _read(signed(b'{"id": "\xff"}', NOW))


@pytest.mark.parametrize(
    ("kind", "about", "names_order"),
    [
        ("charge.refunded", charge(metadata={"order_id": str(ORDER)}), True),
        ("charge.refunded", charge(metadata={}), False),
        ("refund.updated", refund(ORDER), False),
        ("payment_intent.succeeded", held(ORDER) | {"metadata": {"order_id": "A-17"}}, False),
        ("payment_intent.succeeded", held(ORDER) | {"metadata": None}, False),
        ("account.updated", {"object": "account", "status": "canceled"}, False),
    ],
)
def test_only_a_payment_has_a_state(kind: str, about: dict[str, object], names_order: bool) -> None:  # noqa: FBT001 - a column of the table
    """An event about anything else is a hint at most: of an order where it names one, and of no state."""
    heard = _read(signed(event(kind, about), NOW))
    assert heard.order_id == (ORDER if names_order else None)
    assert heard.state is (GatewayState.HELD if about["object"] == "payment_intent" else None)


def test_an_event_without_an_object_is_about_nothing() -> None:
    """Thin events of Stripe's second API carry no object."""
    heard = _read(signed(b'{"id": "evt_1", "object": "v2.core.event", "type": "v2.core.account.created"}', NOW))
    assert (heard.id, heard.order_id, heard.state) == ("evt_1", None, None)

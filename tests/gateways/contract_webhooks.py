"""The part of the contract that is about webhooks: only what is signed and fresh is heard."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.payments.port import WebhookRefused
from tests.gateways.subject import Check, Sent, Subject, authorised

TOLERANCE = timedelta(seconds=300)


async def a_signed_webhook_names_its_order(subject: Subject) -> None:
    """A good message says which order changed, and how the payment stands."""
    payment, now = await authorised(subject), _now()
    sent = subject.webhook(payment, now)
    (event,) = subject.gateway.read_webhook(sent.body, sent.headers, now)
    assert event.id
    assert event.kind
    assert (event.order_id, event.state) == (payment.order_id, payment.state)


async def a_webhook_read_twice_is_the_same_event(subject: Subject) -> None:
    """A duplicate carries the same id, so that whoever hears it can know."""
    payment, now = await authorised(subject), _now()
    sent = subject.webhook(payment, now)
    first = subject.gateway.read_webhook(sent.body, sent.headers, now)
    assert list(subject.gateway.read_webhook(sent.body, sent.headers, now)) == list(first)


async def an_unsigned_webhook_is_refused(subject: Subject) -> None:
    """A message without a signature is anybody's."""
    sent = subject.webhook(await authorised(subject), _now())
    with pytest.raises(WebhookRefused):
        subject.gateway.read_webhook(sent.body, {"content-type": "application/json"}, _now())


async def a_tampered_webhook_is_refused(subject: Subject) -> None:
    """One byte more than was signed, or a signature that is not one, and the message is not heard."""
    sent = subject.webhook(await authorised(subject), _now())
    with pytest.raises(WebhookRefused):
        subject.gateway.read_webhook(sent.body + b" ", sent.headers, _now())
    for name, value in sent.headers.items():
        if "signature" in name:
            for forged in (value[:-1] + ("0" if value[-1] != "0" else "1"), "", "t=,v1=", "t=now,v1=x", "\x00é"):
                with pytest.raises(WebhookRefused):
                    subject.gateway.read_webhook(sent.body, {**sent.headers, name: forged}, _now())


async def a_stale_webhook_is_refused(subject: Subject) -> None:
    """A message recorded and sent again later than the tolerance is not heard."""
    then = _now() - TOLERANCE - timedelta(seconds=5)
    sent = subject.webhook(await authorised(subject), then)
    with pytest.raises(WebhookRefused):
        subject.gateway.read_webhook(sent.body, sent.headers, _now())


async def a_late_webhook_within_the_tolerance_is_heard(subject: Subject) -> None:
    """A network may be slow by minutes."""
    sent = subject.webhook(await authorised(subject), _now() - timedelta(seconds=280))
    assert subject.gateway.read_webhook(sent.body, sent.headers, _now())


async def an_unreadable_webhook_is_refused(subject: Subject) -> None:
    """Bytes that are no message are refused, never a fault."""
    sent = subject.webhook(await authorised(subject), _now())
    for body in (b"", b"\xff\xfe", b"[" * 100_000, b"null", b'{"events": 3}'):
        with pytest.raises(WebhookRefused):
            subject.gateway.read_webhook(body, sent.headers, _now())


async def a_webhook_of_an_unknown_kind_is_about_no_order(subject: Subject) -> None:
    """Providers add kinds whenever they like: such a message is read, and is nobody's."""
    sent: Sent = subject.webhook_of_unknown_kind(_now())
    events = subject.gateway.read_webhook(sent.body, sent.headers, _now())
    assert all(event.order_id is None for event in events)


CHECKS: tuple[Check, ...] = (
    a_signed_webhook_names_its_order,
    a_webhook_read_twice_is_the_same_event,
    an_unsigned_webhook_is_refused,
    a_tampered_webhook_is_refused,
    a_stale_webhook_is_refused,
    a_late_webhook_within_the_tolerance_is_heard,
    an_unreadable_webhook_is_refused,
    a_webhook_of_an_unknown_kind_is_about_no_order,
)


def _now() -> datetime:
    return datetime.now(UTC)

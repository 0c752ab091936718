import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.steps import Strategy
from infra.payments.port import GatewayState, WebhookEvent
from infra.payments.sandbox.webhooks import LOOK_EVERY_S, ROWS_SENT_TWICE_EVERY, SandboxWebhooks
from infra.settings import Settings
from tests.gateways.sandbox_subject import SandboxSubject, sandbox_subject
from tests.gateways.subject import authorised, payment_request
from tests.gateways.webhook_receiver import Receiver, receiver

PAST = "clock_timestamp() - interval '1 second'"


@dataclass
class Sending:
    """A sandbox that sends its webhooks to a receiver."""

    sandbox: SandboxSubject
    receiver: Receiver
    webhooks: SandboxWebhooks

    def heard(self) -> list[WebhookEvent]:
        """Every event that came, read as the API reads it."""
        now = datetime.now(UTC)
        read = self.sandbox.gateway.read_webhook
        return [event for sent in self.receiver.received for event in read(sent.body, sent.headers, now)]

    async def make_due(self) -> None:
        """Time passes: whatever waits for its next turn has it now."""
        await self.sandbox.write(f"UPDATE sandbox_events SET due_at = {PAST} WHERE delivered_at IS NULL")

    async def undelivered(self) -> int:
        (row,) = await self.sandbox.read("SELECT count(*) FROM sandbox_events WHERE delivered_at IS NULL")
        return int(row[0])


@pytest.fixture
async def sending(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Sending]:
    async with AsyncExitStack() as stack:
        heard = await stack.enter_async_context(receiver())
        sandbox = await stack.enter_async_context(sandbox_subject(settings, engine))
        webhooks = SandboxWebhooks(settings, heard.url)
        stack.push_async_callback(webhooks.close)
        yield Sending(sandbox, heard, webhooks)


async def test_every_change_of_a_payment_is_told(sending: Sending) -> None:
    """From the first hold to the last refund each step is an event with the order and the state it led to."""
    gateway = sending.sandbox.gateway
    kept, freed, lapsed = [await authorised(sending.sandbox) for _ in range(3)]
    await gateway.capture(kept.reference, 640, "capture")
    await gateway.refund(kept.reference, 100, "refund")
    await gateway.cancel(freed.reference, "cancel")
    await sending.sandbox.expire_hold(lapsed)
    await sending.webhooks.step()
    told = {(event.order_id, event.kind, event.state) for event in sending.heard()}
    assert told == {
        *((payment.order_id, "payment.held", GatewayState.HELD) for payment in (kept, freed, lapsed)),
        (kept.order_id, "payment.captured", GatewayState.PAID),
        (kept.order_id, "payment.refunded", GatewayState.PAID),
        (freed.order_id, "payment.cancelled", GatewayState.CANCELLED),
        (lapsed.order_id, "payment.expired", GatewayState.CANCELLED),
    }


async def test_a_step_is_told_when_it_is_taken_or_failed(sending: Sending) -> None:
    """A waiting payment, its step, and a decline are events too."""
    taken, failed = [
        await sending.sandbox.gateway.authorise(payment_request(sending.sandbox, method="sandbox_step")) for _ in "ab"
    ]
    declined = await sending.sandbox.gateway.authorise(payment_request(sending.sandbox, method="sandbox_decline"))
    await sending.sandbox.complete_step(taken, approve=True)
    await sending.sandbox.complete_step(failed, approve=False)
    await sending.webhooks.step()
    told = {(event.order_id, event.kind, event.state) for event in sending.heard()}
    assert told == {
        (taken.order_id, "payment.pending", GatewayState.PENDING),
        (taken.order_id, "payment.step_completed", GatewayState.HELD),
        (failed.order_id, "payment.pending", GatewayState.PENDING),
        (failed.order_id, "payment.declined", GatewayState.CANCELLED),
        (declined.order_id, "payment.declined", GatewayState.CANCELLED),
    }


async def test_a_payment_without_a_hold_is_told_as_paid(settings: Settings, sending: Sending) -> None:
    """A sandbox that takes money at once says so."""
    async with sandbox_subject(settings, sending.sandbox.engine, Strategy.PAY_AND_REFUND) as paying:
        payment = await authorised(paying)
    await sending.webhooks.step()
    assert {(event.order_id, event.kind) for event in sending.heard()} == {(payment.order_id, "payment.paid")}


async def test_a_hundred_events_go_in_one_message(sending: Sending) -> None:
    """1,000 approvals cost the API about ten requests, none with more than a hundred events."""
    await asyncio.gather(*(authorised(sending.sandbox) for _ in range(1_000)))
    assert await sending.webhooks.step() == LOOK_EVERY_S
    sizes = [
        len(sending.sandbox.gateway.read_webhook(sent.body, sent.headers, datetime.now(UTC)))
        for sent in sending.receiver.received
    ]
    assert sum(sizes) == 1_000
    assert max(sizes) == 100
    assert len(sizes) <= 11


async def test_some_events_come_twice_and_none_in_order(sending: Sending) -> None:
    """A hostile provider: duplicates in one message and later again, and an order that is nobody's."""
    payments = [await authorised(sending.sandbox) for _ in range(48)]
    await sending.webhooks.step()
    first = sending.heard()
    assert {event.order_id for event in first} == {payment.order_id for payment in payments}
    order = list(dict.fromkeys(_row(event.id) for event in first))
    assert order != sorted(order)
    again = {event.id for event, count in Counter(first).items() if count == 2}
    assert 0 < len(again) < len(payments) / 4
    await sending.make_due()
    await sending.webhooks.step()
    later = {_row(event.id) for event in sending.heard()[len(first) :]}
    assert later == set(range(ROWS_SENT_TWICE_EVERY, 49, ROWS_SENT_TWICE_EVERY))
    assert await sending.undelivered() == 0


async def test_what_was_not_heard_is_sent_again(sending: Sending) -> None:
    """Only an answer of 2xx counts; until then the event comes again, later each time."""
    payment = await authorised(sending.sandbox)
    sending.receiver.statuses = [500, 404, 302, 503]
    for _ in range(4):
        await sending.webhooks.step()
        assert await sending.undelivered() == 1
        await sending.webhooks.step()  # not before its turn
        await sending.make_due()
    assert len(sending.receiver.received) == 4
    await sending.webhooks.step()
    assert await sending.undelivered() == 0
    assert {event.order_id for event in sending.heard()} == {payment.order_id}
    assert len({event.id for event in sending.heard()}) == 1


async def test_later_each_time_and_never_later_than_a_minute(sending: Sending) -> None:
    """The rest between attempts doubles, up to a minute."""
    await authorised(sending.sandbox)
    rests_s = []
    for attempts in (0, 1, 2, 3, 30, 2_000_000):
        sending.receiver.statuses = [500]
        await sending.sandbox.write(f"UPDATE sandbox_events SET due_at = {PAST}, attempts = :count", count=attempts)
        await sending.webhooks.step()
        ((rest_s,),) = await sending.sandbox.read(
            "SELECT extract(epoch FROM due_at - clock_timestamp())::float FROM sandbox_events"
        )
        rests_s.append(rest_s)
    assert rests_s == pytest.approx([0.5, 1, 2, 4, 60, 60], abs=0.4)


async def test_a_message_that_is_refused_holds_up_no_other(sending: Sending) -> None:
    """Of two full messages the refused one waits for its turn, the other is done."""
    await asyncio.gather(*(authorised(sending.sandbox) for _ in range(200)))
    sending.receiver.statuses = [500]
    await sending.webhooks.step()
    assert len(sending.receiver.received) == 2
    assert await sending.undelivered() == 1


async def test_nobody_listens(settings: Settings, sending: Sending) -> None:
    """With the API away nothing is lost and nothing is raised: the events wait."""
    await authorised(sending.sandbox)
    nowhere = SandboxWebhooks(settings, "http://127.0.0.1:1/")
    try:
        await nowhere.step()
    finally:
        await nowhere.close()
    assert await sending.undelivered() == 1
    await sending.make_due()
    await sending.webhooks.step()
    assert await sending.undelivered() == 0


async def test_two_senders_send_once(settings: Settings, sending: Sending) -> None:
    """Two processes at once share the events between them."""
    for _ in range(ROWS_SENT_TWICE_EVERY - 1):
        await authorised(sending.sandbox)
    other = SandboxWebhooks(settings, sending.receiver.url)
    try:
        await asyncio.gather(sending.webhooks.step(), other.step())
    finally:
        await other.close()
    sent = Counter(event.id for event in set(sending.heard()))
    assert len(sent) == ROWS_SENT_TWICE_EVERY - 1
    assert await sending.undelivered() == 0


async def test_what_a_dead_sender_had_is_sent_by_another(sending: Sending) -> None:
    """A sender that died between sending and noting leaves its events to the next one, after its lease."""
    await authorised(sending.sandbox)
    await sending.sandbox.write("UPDATE sandbox_events SET due_at = clock_timestamp() + interval '60 seconds'")
    await sending.webhooks.step()
    assert sending.receiver.received == []
    await sending.make_due()
    await sending.webhooks.step()
    assert await sending.undelivered() == 0


async def test_old_events_are_forgotten(sending: Sending) -> None:
    """A day after delivery, or three days after nobody heard it, an event is gone; the payment stays."""
    for _ in range(4):
        await authorised(sending.sandbox)
    day, ago = "interval '1 day'", "clock_timestamp() - interval '1 minute'"
    for number, past in enumerate(("delivered_at = {ago} - {day}", "at = {ago} - 3 * {day}", "at = {ago} - {day}"), 1):
        await sending.sandbox.write(
            f"UPDATE sandbox_events SET {past.format(ago=ago, day=day)} WHERE id = :id", id=number
        )
    await sending.webhooks.step()
    assert await sending.sandbox.read("SELECT id FROM sandbox_events ORDER BY id") == [(3,), (4,)]
    assert await sending.sandbox.read("SELECT count(*) FROM sandbox_payments") == [(4,)]


async def test_holds_expire_by_themselves_only_when_it_is_time(sending: Sending) -> None:
    """The books note the end of a hold once, and of no other payment."""
    over, running, captured = [await authorised(sending.sandbox) for _ in range(3)]
    await sending.sandbox.gateway.capture(captured.reference, 640, "capture")
    await sending.sandbox.expire_hold(over)
    await sending.sandbox.expire_hold(captured)
    await sending.webhooks.step()
    expired = [event.order_id for event in set(sending.heard()) if event.kind == "payment.expired"]
    assert expired == [over.order_id]
    found = await sending.sandbox.read("SELECT order_id, status FROM sandbox_payments")
    statuses = {row.order_id: row.status for row in found}
    assert statuses == {over.order_id: "expired", running.order_id: "held", captured.order_id: "paid"}


def _row(event_id: str) -> int:
    return int(event_id.split("_")[1])

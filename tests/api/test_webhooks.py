"""Webhooks: believed for their signature alone, and then only as a hint to look."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from infra.payments.sandbox.signing import sandbox_key
from infra.settings import Settings
from infra.signed_bodies import signature
from tests.api.people import Town, problem
from tests.api.test_paying import awaiting, finish

PATH = "/v1/webhooks/sandbox"
SIGNATURE = "tuan-sandbox-signature"


def message(order_id: object, kind: str = "payment.held", state: str = "held", **more: object) -> bytes:
    """A message as the sandbox words it."""
    payment = {"reference": "pay_of_it", "order_id": str(order_id), "status": state}
    event = {"id": str(uuid4()), "kind": kind, "created_at": datetime.now(UTC), "payment": payment}
    return msgspec.json.encode({"events": [event | more]})


async def tell(town: Town, settings: Settings, body: bytes, at: datetime | None = None) -> httpx.Response:
    """Send a message, signed as of a moment."""
    signed = signature(sandbox_key(settings), body, at or datetime.now(UTC))
    return await town.client.post(PATH, content=body, headers={SIGNATURE: signed, "content-type": "application/json"})


async def _group_of(town: Town) -> tuple[dict[str, Any], dict[str, Any]]:
    group = await town.open_group()
    return group, await awaiting(town.shopper(), group)


async def _participants(town: Town, group: dict[str, Any]) -> int:
    shown: int = (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["participants"]
    return shown


async def test_a_webhook_confirms_once_however_often_it_comes(town: Town, settings: Settings) -> None:
    """The approval counts without the app's word; repeats, also of the same bytes, change nothing."""
    group, you = await _group_of(town)
    await finish(town.client, you)
    body = message(you["order_id"])
    for _ in range(3):
        assert (await tell(town, settings, body)).status_code == 204
    fresh = await town.shopper().post(f"/v1/groups/{group['id']}/participants")
    assert fresh.json()["participants"] == 3


async def test_what_a_webhook_says_is_looked_up(town: Town, settings: Settings) -> None:
    """A message that comes before its time, or out of order, makes nobody a participant: the gateway is asked."""
    group, you = await _group_of(town)
    assert (await tell(town, settings, message(you["order_id"]))).status_code == 204
    assert await _participants(town, group) == 1
    await finish(town.client, you)
    assert (await tell(town, settings, message(you["order_id"], "payment.cancelled", "cancelled"))).status_code == 204


async def test_messages_that_come_together_are_each_heard(town: Town, settings: Settings) -> None:
    """Each approval counts once, whichever others its message comes with, those without one for nothing."""
    group = await town.open_group(group_size_max=20, tiers=[{"participants": 20, "unit_price": 900}])
    places = [await awaiting(town.shopper(), group) for _ in range(8)]
    for place in places[:5]:
        await finish(town.client, place)
    bodies = [message(place["order_id"]) for place in [*places, *places[2:]]]
    answers = await asyncio.gather(*(tell(town, settings, body) for body in bodies))
    assert {answer.status_code for answer in answers} == {204}
    seen = (await town.nobody.get(f"/v1/groups/{group['id']}")).json()
    assert (seen["participants"], seen["awaiting_payment"]) == (6, 3)


@pytest.mark.parametrize("kind", ["payment.unheard_of", "dispute.created"])
async def test_events_of_unknown_kinds_and_orders_are_heard_and_nothing_else(
    town: Town, settings: Settings, kind: str
) -> None:
    """A gateway's new events, and payments that are not ours, are answered 204 so that it stops sending them."""
    group, you = await _group_of(town)
    for body in (message(you["order_id"], kind), message("no id", kind), message(uuid4()), b'{"events":[]}'):
        assert (await tell(town, settings, body)).status_code == 204
    assert await _participants(town, group) == 1


async def test_a_webhook_nobody_signed_changes_nothing(town: Town, settings: Settings) -> None:
    """Unsigned, wrongly signed, tampered with or stale: refused by name."""
    group, you = await _group_of(town)
    await finish(town.client, you)
    body = message(you["order_id"])
    good = signature(sandbox_key(settings), body, datetime.now(UTC))
    for headers in ({}, {SIGNATURE: "t=1,v1=00"}, {SIGNATURE: "nonsense"}, {SIGNATURE: good[:-1] + "x"}):
        problem(await town.client.post(PATH, content=body, headers=headers), 403, "webhook-refused")
    problem(await town.client.post(PATH, content=body + b" ", headers={SIGNATURE: good}), 403, "webhook-refused")
    stale = datetime.now(UTC) - timedelta(minutes=6)
    problem(await tell(town, settings, body, stale), 403, "webhook-refused")
    for unreadable in (b"{", b"[]", message("not an id")):
        problem(await tell(town, settings, unreadable), 403, "webhook-refused")
    assert await _participants(town, group) == 1


async def test_gateways_nobody_uses_have_nothing_to_say(town: Town) -> None:
    """An unknown gateway, and one that is not set up, are 404."""
    for name in ("paypal", "stripe", "none"):
        problem(await town.client.post(f"/v1/webhooks/{name}", content=b"{}"), 404, "no-such-gateway")

"""Joining where money is taken: approved at once, after a further step, too late, or not at all."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.people import Person, Town, fields, problem

SHIPPED = {"name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London", "country": "GB"}
_SETTLEMENT = text("""
  SELECT p.status, s.status, s.capture_minor FROM payments p JOIN settlements s USING (deal_id, order_id)
  WHERE order_id = :order_id""")


async def join(shopper: Person, group: dict[str, Any], method: str | None = None, **more: Any) -> httpx.Response:
    body = {} if method is None else {"payment_method": method}
    return await shopper.post(f"/v1/groups/{group['id']}/participants", body | more)


async def awaiting(shopper: Person, group: dict[str, Any], method: str = "sandbox_step") -> dict[str, Any]:
    """A place kept for a shopper who still has to pay."""
    answer = await join(shopper, group, method)
    assert answer.status_code == 202, answer.text
    you: dict[str, Any] = answer.json()["you"]
    assert you["status"] == "awaiting_payment"
    return you


async def finish(client: httpx.AsyncClient, you: dict[str, Any], *, approve: bool = True) -> None:
    """The shopper takes the step on the sandbox's page, as its form sends it."""
    address = urlsplit(you["payment"]["redirect_url"])
    page = await client.get(f"{address.path}?{address.query}")
    assert page.status_code == 200, page.text
    assert "9.00 USD" in page.text
    secret = parse_qs(address.query)["client_secret"][0]
    form = {"client_secret": secret, "approve": "true" if approve else "false"}
    assert (await client.post(address.path, data=form)).status_code == 200


async def test_a_place_is_kept_until_its_payment_is_finished_and_counts_once_it_is(town: Town) -> None:
    """A reserved place is taken but counts for no price; approved, it counts, however often the app says so."""
    group, shopper = await town.open_group(), town.shopper()
    you = await awaiting(shopper, group)
    assert you["payment"]["amount"] == you["hold"] == 900
    seen = (await shopper.get(f"/v1/groups/{group['id']}")).json()
    assert (seen["participants"], seen["seats_left"], seen["tipped"]) == (1, 3, False)
    assert (seen["awaiting_payment"], seen["you"]) == (1, you)
    await finish(town.client, you)
    looks = await asyncio.gather(*(shopper.post(f"/v1/orders/{you['order_id']}/payment") for _ in range(5)))
    assert {(look.status_code, look.json()["status"]) for look in looks} == {(200, "approved")}
    again = await join(shopper, group)
    assert (again.status_code, again.json()["you"]["status"]) == (200, "joined")
    assert (again.json()["participants"], again.json()["tipped"], again.json()["awaiting_payment"]) == (2, True, 0)


async def test_the_last_place_is_kept_for_whoever_is_paying(town: Town) -> None:
    """Any number of unpaid people cannot hold the last place: one does, and the next is told the group is full."""
    group = await town.open_group(group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    you = await awaiting(town.shopper(), group)
    problem(await join(town.shopper(), group), 409, "group-full")
    assert you["status"] == "awaiting_payment"


async def test_a_declined_payment_frees_the_place_at_once(town: Town) -> None:
    """402 says why; nothing is kept, and the same shopper can join with another payment method."""
    group, shopper = await town.open_group(), town.shopper()
    for method, words in (
        ("sandbox_decline", "The card was declined."),
        ("sandbox_insufficient_funds", "insufficient funds"),
        ("no_such_method", "no_such_method"),
    ):
        details = problem(await join(shopper, group, method), 402, "payment-declined")
        assert words in details["detail"]
    seen = (await shopper.get(f"/v1/groups/{group['id']}")).json()
    assert (seen["awaiting_payment"], seen["you"]) == (0, None)
    assert (await join(shopper, group)).status_code == 201


async def test_a_shopper_who_fails_the_step_is_told(town: Town) -> None:
    """The app asks after the step: 402, and the place is free."""
    group, shopper = await town.open_group(), town.shopper()
    you = await awaiting(shopper, group)
    await finish(town.client, you, approve=False)
    for _ in range(2):
        problem(await shopper.post(f"/v1/orders/{you['order_id']}/payment"), 402, "payment-declined")
    assert (await shopper.get(f"/v1/groups/{group['id']}")).json()["awaiting_payment"] == 0


async def test_an_answer_that_was_lost_is_asked_for_again(town: Town) -> None:
    """Approved at the gateway, but the answer did not come: 202 first, joined when the shopper's app asks again."""
    group, shopper = await town.open_group(), town.shopper()
    you = await awaiting(shopper, group, "sandbox_timeout_after_success")
    assert (you["payment"]["client_secret"], you["payment"]["redirect_url"]) == (None, None)
    again = await join(shopper, group)
    assert (again.status_code, again.json()["you"]["status"]) == (200, "joined")
    assert again.json()["you"]["order_id"] == you["order_id"]


async def test_a_gateway_that_is_away_keeps_the_place_and_no_request_waiting(town: Town) -> None:
    """Nothing is known, so the place is kept until its deadline and asking changes nothing."""
    group, shopper = await town.open_group(), town.shopper()
    you = await awaiting(shopper, group, "sandbox_unavailable")
    look = await shopper.post(f"/v1/orders/{you['order_id']}/payment")
    assert (look.status_code, look.json()["status"]) == (200, "awaiting_payment")
    assert look.json()["payment"] == you["payment"]


async def test_a_hold_that_ends_before_the_group_is_no_hold(town: Town) -> None:
    """A card that can be held for a minute only is declined for a group that runs a day."""
    group = await town.open_group()
    details = problem(await join(town.shopper(), group, "sandbox_hold_60s"), 402, "payment-declined")
    assert "until the group closes" in details["detail"]


async def test_a_payment_after_the_group_is_over_goes_back_and_other_groups_are_named(
    town: Town, engine: AsyncEngine
) -> None:
    """Promise 8: the shopper is told, with other groups of the deal; money for nothing is not kept."""
    deal = await town.live_deal()
    groups = [(await town.shopper().post(f"/v1/deals/{deal['id']}/groups")).json() for _ in range(2)]
    shopper = town.shopper()
    you = await awaiting(shopper, groups[0])
    cancelled = await town.merchant.post(f"/v1/groups/{groups[0]['id']}/cancel")
    assert cancelled.status_code == 200
    await finish(town.client, you)
    for _ in range(2):  # said again it stays so
        details = problem(await shopper.post(f"/v1/orders/{you['order_id']}/payment"), 409, "payment-too-late")
        assert [group["id"] for group in details["joinable_groups"]] == [groups[1]["id"]]
    async with engine.connect() as connection:
        statuses = await connection.execute(_SETTLEMENT, {"order_id": you["order_id"]})
        assert statuses.one() == ("lapsed", "pending", 0)


async def test_a_key_says_how_its_join_stands_now(town: Town) -> None:
    """Promise 6: a repeated request while the payment is awaited shows what is still to do, later the place it got."""
    group, shopper = await town.open_group(), town.shopper()
    keyed: dict[str, Any] = {"headers": {"idempotency-key": "one"}}
    path, body = f"/v1/groups/{group['id']}/participants", {"payment_method": "sandbox_step"}
    first, again = [await shopper.post(path, body, **keyed) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json()["you"] == again.json()["you"]
    await finish(town.client, first.json()["you"])
    joined = await shopper.post(path, body, **keyed)
    assert (joined.status_code, joined.json()["you"]["status"]) == (201, "joined")


async def test_twenty_openings_that_wait_for_a_payment_are_one(town: Town) -> None:
    """Promise 6: a key opens one group, also while its leader's payment is awaited."""
    deal, leader = await town.live_deal(), town.shopper()
    keyed: dict[str, Any] = {"headers": {"idempotency-key": "open"}}
    path, body = f"/v1/deals/{deal['id']}/groups", {"payment_method": "sandbox_step"}
    answers = await asyncio.gather(*(leader.post(path, body, **keyed) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.json()["you"]["order_id"] for answer in answers}) == 1


async def test_where_the_deal_ships_an_address_is_asked_for(town: Town) -> None:
    """Bad addresses are named field by field; a good one is the order's and nobody else's."""
    deal = await town.live_deal(needs_shipping=True)
    leader, path = town.shopper(), f"/v1/deals/{deal['id']}/groups"
    problem(await leader.post(path), 422, "address-required")
    bad = SHIPPED | {"country": "Britain", "city": "", "line1": "a\nb"}
    assert fields(await leader.post(path, {"address": bad})) == {"address.country", "address.city", "address.line1"}
    opened = await leader.post(path, {"address": SHIPPED})
    assert opened.status_code == 201, opened.text
    order_id = opened.json()["you"]["order_id"]
    assert (await leader.get(f"/v1/orders/{order_id}")).json()["address"]["city"] == "London"
    problem(await town.shopper().get(f"/v1/orders/{order_id}"), 404, "order-not-found")


async def test_a_payment_is_its_shoppers_alone(town: Town) -> None:
    """Nobody else may ask after it, and an order that is not there looks the same."""
    you = await awaiting(town.shopper(), await town.open_group())
    problem(await town.shopper().post(f"/v1/orders/{you['order_id']}/payment"), 404, "order-not-found")
    problem(await town.shopper().post(f"/v1/orders/{town.merchant.subject}/payment"), 404, "order-not-found")


async def test_the_sandboxs_step_asks_for_its_secret(town: Town) -> None:
    """Without the client secret nobody sees or takes the step of a payment."""
    you = await awaiting(town.shopper(), await town.open_group())
    path = urlsplit(you["payment"]["redirect_url"]).path
    problem(await town.client.get(f"{path}?client_secret=guess"), 409, "gateway-refused")
    problem(await town.client.post(path, json={"client_secret": "guess"}), 409, "gateway-refused")
    fields(await town.client.post(path, content=b"\xff", headers={"content-type": "application/x-www-form-urlencoded"}))


async def test_groups_that_outlive_a_hold_are_not_published(town: Town, engine: AsyncEngine) -> None:
    """Publishing says how long the gateway can hold money; a shorter group is published."""
    too_long = int(timedelta(days=30, hours=23, minutes=30).total_seconds())
    draft = await town.draft(group_lifetime_s=2_592_000)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE deals SET group_lifetime_s = :s"), {"s": too_long})
    assert fields(await town.merchant.post(f"/v1/deals/{draft['id']}/publish")) == {"group_lifetime_s"}
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE deals SET group_lifetime_s = 86400"))
    assert (await town.merchant.post(f"/v1/deals/{draft['id']}/publish")).status_code == 200


@pytest.mark.parametrize("quantity", [1, 3])
async def test_buying_alone_costs_the_solo_price(town: Town, quantity: int) -> None:
    """An order without a group: its units are taken at once, and count towards the shopper's limit."""
    deal, shopper = await town.live_deal(units_per_shopper_max=3), town.shopper()
    path = f"/v1/deals/{deal['id']}/orders"
    keyed: dict[str, Any] = {"headers": {"idempotency-key": "alone"}}
    bought, again = [await shopper.post(path, {"quantity": quantity}, **keyed) for _ in range(2)]
    assert (bought.status_code, again.status_code) == (201, 201), bought.text
    order = bought.json()
    assert (order["id"], order["hold"], order["group_id"]) == (again.json()["id"], 1_200 * quantity, None)
    left = (await town.nobody.get(f"/v1/deals/{deal['id']}")).json()["variants"][0]["stock_left"]
    assert left == 100 - quantity
    problem(await shopper.post(path, {"quantity": 4 - quantity}), 409, "units-limit-reached")


async def test_buying_alone_waits_for_a_step_as_joining_does(town: Town) -> None:
    """202 with what is to do; a declined one keeps no units."""
    deal, shopper = await town.live_deal(), town.shopper()
    path = f"/v1/deals/{deal['id']}/orders"
    waiting = await shopper.post(path, {"payment_method": "sandbox_step"})
    assert (waiting.status_code, waiting.json()["status"]) == (202, "awaiting_payment")
    problem(await shopper.post(path, {"payment_method": "sandbox_decline"}), 402, "payment-declined")
    assert (await town.nobody.get(f"/v1/deals/{deal['id']}")).json()["variants"][0]["stock_left"] == 99
    problem(await shopper.post(path, {"quantity": 100}), 409, "out-of-stock")

"""Refunds from outside: in parts or whole, never more than was captured, and once for a key."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.people import Person, Town, fields, problem
from tests.money_shop import MoneyShop, Purchase

CAPTURED = 3_600
FEE = 90
"""2.5 % of what is captured."""


@pytest.fixture
async def bought(shop: MoneyShop) -> Purchase:
    """An order of two kettles at 18.00 EUR."""
    return (await shop.orders_of(await shop.live(needs_shipping=True), None, None, quantity=2))[0]


async def test_a_refund_in_parts_never_exceeds_what_was_captured(town: Town, shop: MoneyShop, bought: Purchase) -> None:
    """Part by part, then all that is left; a minor unit more is refused and nothing changes."""
    part = await _refund(town.merchant, bought, amount=1_000, currency="EUR")
    assert (part.status_code, part.headers["location"]) == (201, f"/v1/orders/{bought.order_id}")
    assert (part.json()["refunded"], part.json()["status"]) == (1_000, "to_ship")
    problem(await _refund(town.merchant, bought, amount=2_601, currency="EUR"), 409, "refund-too-large")
    rest = (await _refund(town.merchant, bought)).json()
    assert (rest["refunded"], [refund["amount"] for refund in rest["refunds"]]) == (CAPTURED, [1_000, 2_600])
    assert {refund["status"] for refund in rest["refunds"]} == {"pending"}
    problem(await _refund(town.merchant, bought), 409, "refund-too-large")
    problem(await _refund(town.merchant, bought, amount=1, currency="EUR"), 409, "refund-too-large")
    await shop.make_refunds()
    read = (await town.merchant.get(f"/v1/orders/{bought.order_id}")).json()
    assert [refund["status"] for refund in read["refunds"]] == ["done", "done"]
    assert await _balances(shop, bought) == {}


@pytest.mark.parametrize("amount", [0, -1, -(10**30)])
async def test_amounts_below_one_minor_unit_are_refused(town: Town, bought: Purchase, amount: int) -> None:
    """Nothing and less than nothing cannot be given back."""
    assert fields(await _refund(town.merchant, bought, amount=amount, currency="EUR")) == {"amount"}
    await _check_untouched(town, bought)


@pytest.mark.parametrize("amount", [CAPTURED + 1, 2**31, 2**63, 10**30])
async def test_huge_amounts_are_refused(town: Town, bought: Purchase, amount: int) -> None:
    """An amount over what was captured is a refusal, also where no column could hold it."""
    refused = await _refund(town.merchant, bought, amount=amount, currency="EUR")
    assert "36.00 EUR" in problem(refused, 409, "refund-too-large")["detail"]
    await _check_untouched(town, bought)


@pytest.mark.parametrize("amount", [1.5, "1000", True, [1]])
async def test_amounts_that_are_no_whole_number_are_refused(town: Town, bought: Purchase, amount: Any) -> None:
    """Money is an integer of minor units and nothing else."""
    assert fields(await _refund(town.merchant, bought, amount=amount, currency="EUR")) == {"amount"}
    await _check_untouched(town, bought)


async def test_an_amount_is_in_the_currency_of_the_order(town: Town, bought: Purchase) -> None:
    """Another currency is refused, none at all too, and a currency may be said for the whole as well."""
    wrong = problem(await _refund(town.merchant, bought, amount=100, currency="USD"), 422, "wrong-currency")
    assert wrong["errors"][0]["field"] == "currency"
    problem(await _refund(town.merchant, bought, currency="JPY"), 422, "wrong-currency")
    assert fields(await _refund(town.merchant, bought, amount=100)) == {"currency"}
    assert fields(await _refund(town.merchant, bought, reason="a\u0000b")) == {"reason"}
    await _check_untouched(town, bought)
    assert (await _refund(town.merchant, bought, currency="EUR")).json()["refunded"] == CAPTURED


async def test_a_repeated_key_refunds_once(town: Town, shop: MoneyShop, bought: Purchase) -> None:
    """Promise 6: twenty retries of one refund at once give the money back once and all say so."""
    keyed = {"idempotency-key": "part"}
    answers = await asyncio.gather(
        *(_refund(town.merchant, bought, amount=500, currency="EUR", headers=keyed) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (await _refund(town.merchant, bought, amount=500, currency="EUR", headers=keyed)).json()["refunded"] == 500
    other = await _refund(town.merchant, bought, amount=501, currency="EUR", headers=keyed)
    problem(other, 422, "idempotency-key-reused")
    read = (await town.merchant.get(f"/v1/orders/{bought.order_id}")).json()
    assert (read["refunded"], len(read["refunds"])) == (500, 1)
    assert (await _balances(shop, bought))["refunds"] == 500


async def test_refunds_at_once_never_exceed_what_was_captured(town: Town, shop: MoneyShop, bought: Purchase) -> None:
    """Ten refunds of a quarter at once: four are made, six are refused."""
    answers = await asyncio.gather(
        *(_refund(town.merchant, bought, amount=CAPTURED // 4, currency="EUR") for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 6
    assert (await _balances(shop, bought))["refunds"] == CAPTURED


async def test_a_return_ends_the_order(town: Town, bought: Purchase) -> None:
    """What was never sent cannot come back; a return is over once, and money can still follow it."""
    problem(await _refund(town.merchant, bought, is_return=True), 409, "order-not-shipped")
    shipped = {"carrier": "DHL", "tracking_number": "1"}
    await town.merchant.post(f"/v1/orders/{bought.order_id}/ship", shipped)
    returned = (await _refund(town.merchant, bought, amount=3_000, currency="EUR", is_return=True)).json()
    assert (returned["status"], returned["refunded"], returned["returned_at"] is not None) == ("returned", 3_000, True)
    problem(await _refund(town.merchant, bought, is_return=True), 409, "order-over")
    problem(await town.merchant.post(f"/v1/orders/{bought.order_id}/ship", shipped), 409, "order-not-shippable")
    assert (await _refund(town.merchant, bought)).json()["refunded"] == CAPTURED


async def test_the_platform_gives_its_part_back(town: Town, shop: MoneyShop, bought: Purchase) -> None:
    """A refund takes fee and merchant's share in proportion; a full one leaves nothing with anybody."""
    assert await _balances(shop, bought) == {
        "gateway_clearing": -CAPTURED,
        "merchant_payable": CAPTURED - FEE,
        "platform_fee": FEE,
    }
    await _refund(town.merchant, bought, amount=CAPTURED // 2, currency="EUR")
    assert await _balances(shop, bought) == {
        "gateway_clearing": -CAPTURED,
        "merchant_payable": (CAPTURED - FEE) // 2,
        "platform_fee": FEE // 2,
        "refunds": CAPTURED // 2,
    }


async def _refund(
    merchant: Person, bought: Purchase, *, reason: str = "It came broken.", headers: Any = (), **body: Any
) -> Any:
    return await merchant.post(f"/v1/orders/{bought.order_id}/refunds", {"reason": reason, **body}, headers=headers)


async def _check_untouched(town: Town, bought: Purchase) -> None:
    order = (await town.merchant.get(f"/v1/orders/{bought.order_id}")).json()
    assert (order["refunded"], order["refunds"], order["version"]) == (0, [], 1)


async def _balances(shop: MoneyShop, bought: Purchase) -> dict[str, int]:
    """The accounts of an order that are not at zero."""
    query = text(
        "SELECT account, sum(amount_minor)::bigint FROM ledger_entries WHERE order_id = :order_id"
        " GROUP BY account HAVING sum(amount_minor) <> 0"
    )
    async with shop.engine.connect() as connection:
        rows = await connection.execute(query, {"order_id": bought.order_id})
        return {row.account: row.sum for row in rows}

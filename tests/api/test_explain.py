"""Why did I pay this: the answer is made of the rows, for everybody who ever tried to pay."""

from typing import Any

import pytest

from domain.groupbuy.commands import CancelGroup, LapsePayment, LeaveGroup
from domain.groupbuy.payment import LapsedBecause
from infra.ids import new_id
from tests.api.people import Person, Town, problem
from tests.money_shop import MoneyShop, Purchase
from tests.reading.shop import Shop


@pytest.fixture
async def shopper(town: Town) -> Person:
    return town.shopper()


async def test_a_price_that_fell_is_explained_to_the_cent(shopper: Person, shop: MoneyShop) -> None:
    """Two at 18.00 were held, four came, the price fell to 15.00: taken and given back are said, with their times."""
    bought = (await shop.paid_group(await shop.live(), shopper.subject, *[None] * 3, quantity=2))[0]
    await shop.close(bought)
    await shop.settle()
    told = await _explained(shopper, bought)
    numbers = ("participants", "quantity", "ceiling_price", "unit_price", "hold", "captured", "released", "refunded")
    assert [told[name] for name in numbers] == [4, 2, 1_800, 1_500, 3_600, 3_000, 600, 0]
    assert (told["tier"], told["because"]) == ({"participants": 4, "unit_price": 1_500}, None)
    assert [(line["kind"], line["amount"]) for line in told["lines"]] == [
        ("asked", None),
        ("held", 3_600),
        ("closed", None),
        ("captured", 3_000),
        ("released", 600),
    ]
    assert [line["at"] for line in told["lines"]] == sorted(line["at"] for line in told["lines"])
    assert "4 people; from 4 on one costs 15.00 EUR" in told["lines"][2]["sentence"]
    assert told["lines"][3]["sentence"] == "30.00 EUR were taken: 2 x 15.00 EUR."
    went_at = f"{told['lines'][4]['at'][:10]} {told['lines'][4]['at'][11:16]} UTC"
    assert told["summary"] == (
        "4 people joined, so the price fell to 15.00 EUR: you pay 30.00 EUR for 2; 6.00 EUR of the 36.00 EUR held went"
        f" back at {went_at}."
    )


async def test_a_price_that_stayed_takes_all_of_the_hold(shopper: Person, shop: MoneyShop) -> None:
    """At the first tier the ceiling is the price: nothing is released and nothing is said of it."""
    bought = (await shop.orders_of(await shop.live(), shopper.subject, None))[0]
    told = await _explained(shopper, bought)
    assert (told["captured"], told["released"]) == (1_800, 0)
    assert told["summary"] == (
        "2 people joined, so the price is 18.00 EUR: you pay 18.00 EUR for 1, all of what was held."
    )


async def test_before_the_closing_it_says_what_will_happen(shopper: Person, shop: MoneyShop) -> None:
    """Awaiting, below the first tier, tipped, and closed but not settled yet: each says what comes."""
    first = await shop.reserve_first(await shop.live(), shopper.subject, 2)
    awaiting = await _explained(shopper, first)
    assert awaiting["summary"].startswith("A place is kept for you until ")
    assert (awaiting["hold"], awaiting["captured"], awaiting["tier"]) == (3_600, 0, None)
    await shop.pay(first)
    alone = await _explained(shopper, first)
    assert alone["summary"].startswith("1 person joined and 2 are needed by ")
    assert alone["summary"].endswith("at most 36.00 EUR for 2, otherwise nothing, and the 36.00 EUR held go back.")
    await shop.pay(await shop.reserve(first))
    tipped = await _explained(shopper, first)
    assert tipped["summary"].startswith("2 people joined, so the price is 18.00 EUR now.")
    assert (tipped["lines"][-1]["kind"], tipped["unit_price"]) == ("expected", 1_800)
    assert "with 2 more one costs 15.00 EUR" in tipped["lines"][-1]["sentence"]
    await shop.close(first)
    closed = await _explained(shopper, first)
    assert (closed["status"], closed["captured"], closed["lines"][-1]["kind"]) == ("succeeded", 0, "closed")
    assert "you pay 36.00 EUR for 2" in closed["summary"]


async def test_nobody_pays_in_a_failed_or_cancelled_group(shopper: Person, shop: MoneyShop) -> None:
    """Both say why, and when all of the hold went back."""
    failed = (await shop.paid_group(await shop.live(), shopper.subject))[0]
    await shop.close(failed)
    waiting = await _explained(shopper, failed)
    assert waiting["summary"] == "1 person joined and 2 were needed, so nobody pays. All 18.00 EUR held go back."
    await shop.settle()
    told = await _explained(shopper, failed)
    assert (told["because"], told["unit_price"], told["released"]) == ("group_failed", None, 1_800)
    assert "so nobody pays. All 18.00 EUR held went back at " in told["summary"]
    cancelled = (await shop.paid_group(await shop.live(), shopper.subject, None))[0]
    assert cancelled.group_id is not None
    await shop.tell(CancelGroup(group_id=cancelled.group_id, merchant_id=shop.merchant_id))
    await shop.settle()
    told = await _explained(shopper, cancelled)
    assert told["because"] == "group_cancelled"
    assert told["summary"].startswith("The group was called off by the merchant, so nobody pays. All 18.00 EUR")
    assert "The merchant called the group off" in told["lines"][2]["sentence"]


async def test_a_payment_that_came_to_nothing_is_explained_too(shopper: Person, shop: MoneyShop) -> None:
    """Declined, out of time, overtaken by the closing, late, given up: each has its reason, and nothing is taken."""
    first = (await shop.paid_group(await shop.live(group_size_max=9), None, None))[0]

    async def because(bought: Purchase) -> str:
        told = await _explained(shopper, bought)
        assert (told["captured"], told["refunded"]) == (0, 0)
        return str(told["because"])

    declined = await shop.lapse(await shop.reserve(first, shopper.subject))
    assert (await _explained(shopper, declined))["summary"].endswith("Nothing was taken.")
    assert await because(declined) == "payment_not_approved"
    overdue = await shop.reserve(first, shopper.subject)
    await shop.make("UPDATE payments SET pay_by = clock_timestamp() WHERE order_id = :id", id=overdue.order_id)
    await shop.tell(LapsePayment(**overdue.names, because=LapsedBecause.DEADLINE))
    assert await because(overdue) == "payment_time_over"
    await shop.pay(overdue)
    assert await because(overdue) == "payment_too_late"
    await shop.settle()
    assert "All 18.00 EUR held went back at " in (await _explained(shopper, overdue))["summary"]
    overtaken = await shop.reserve(first, shopper.subject)
    await shop.close(first)
    assert await because(overtaken) == "closed_before_payment"
    await shop.lapse(overtaken)
    assert await because(overtaken) == "closed_before_payment"
    left = (await shop.paid_group(await shop.live(), shopper.subject, quantity=2))[0]
    assert left.group_id is not None
    await shop.tell(LeaveGroup(group_id=left.group_id, shopper_id=shopper.subject))
    assert await because(left) == "left"
    assert (await _explained(shopper, left))["summary"] == "You gave the place up. All 36.00 EUR held go back."


async def test_a_capture_that_is_refused_is_explained(shopper: Person, shop: MoneyShop) -> None:
    """The gateway would not give what was held: the place is lost, nobody else pays for it."""
    bought = await shop.paid_group(await shop.live(), shopper.subject, None)
    await shop.close(bought[0])
    await shop.settle(refusing=[bought[0].order_id])
    told = await _explained(shopper, bought[0])
    assert (told["because"], told["captured"], told["released"]) == ("capture_refused", 0, 1_800)
    assert "18.00 EUR could not be taken" in told["summary"]
    assert {"refused", "released"} <= {line["kind"] for line in told["lines"]}


async def test_refunds_are_part_of_the_story(town: Town, shopper: Person, shop: MoneyShop) -> None:
    """A refund is told when it is decided and when it is made; a cancelled order gives all of it back."""
    one = (await shop.orders_of(await shop.live(needs_shipping=True), shopper.subject, None, quantity=2))[0]
    path = f"/v1/orders/{one.order_id}"
    await town.merchant.post(f"{path}/refunds", {"amount": 500, "currency": "EUR", "reason": "A dent."})
    told = await _explained(shopper, one)
    assert (told["captured"], told["refunded"], told["because"]) == (3_600, 500, None)
    assert told["summary"].endswith(" 5.00 EUR of it go back as refunds.")
    assert told["lines"][-1]["sentence"] == "The merchant gives 5.00 EUR back: A dent."
    await shop.make_refunds()
    told = await _explained(shopper, one)
    assert told["summary"].endswith(" 5.00 EUR of it went back as refunds.")
    assert (told["lines"][-1]["kind"], told["lines"][-1]["amount"]) == ("refunded", 500)
    await town.merchant.post(f"{path}/cancel", {"reason": "Sold out."})
    told = await _explained(shopper, one)
    assert (told["because"], told["refunded"]) == ("order_cancelled", 3_600)
    assert told["summary"] == "The merchant called the order off. The 36.00 EUR you paid go back."


async def test_the_last_try_counts_until_one_has_the_place(shopper: Person, shop: MoneyShop) -> None:
    """Declined, then paid: the explanation is of the payment that has the place."""
    first = (await shop.paid_group(await shop.live(), None))[0]
    await shop.lapse(await shop.reserve(first, shopper.subject))
    paid = await shop.pay(await shop.reserve(first, shopper.subject))
    told = await _explained(shopper, paid)
    assert (told["order_id"], told["because"]) == (str(paid.order_id), None)


async def test_a_group_without_money_is_explained_by_its_prices(shopper: Person, shop: MoneyShop) -> None:
    """Where no money is taken here, the count, the tier and what is due are said all the same."""
    plain = Shop(shop.engine, shop.batcher, shop.merchant_id)
    group_id = await plain.opened(await plain.live(), 3)
    await plain.joined(group_id, shopper.subject)
    told = await _explained_at(shopper, f"/v1/groups/{group_id}/explain")
    assert (told["participants"], told["unit_price"], told["captured"]) == (4, 1_500, 0)
    assert told["summary"].startswith("4 people joined, so the price is 15.00 EUR now.")
    assert [line["kind"] for line in told["lines"]] == ["joined", "expected"]


async def test_only_who_has_or_had_a_place_is_told(town: Town, shopper: Person, shop: MoneyShop) -> None:
    """Other shoppers get 404, as for a group that is not there; merchants have no place in groups."""
    bought = (await shop.paid_group(await shop.live(), shopper.subject))[0]
    path = f"/v1/groups/{bought.group_id}/explain"
    problem(await town.shopper().get(path), 404, "group-not-found")
    problem(await shopper.get(f"/v1/groups/{new_id()}/explain"), 404, "group-not-found")
    problem(await town.merchant.get(path), 403, "role-missing")
    problem(await town.nobody.get(path), 401, "not-authenticated")


async def _explained(caller: Person, bought: Purchase) -> dict[str, Any]:
    return await _explained_at(caller, f"/v1/groups/{bought.group_id}/explain")


async def _explained_at(caller: Person, path: str) -> dict[str, Any]:
    response = await caller.get(path)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told

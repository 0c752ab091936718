"""Orders from outside: where each is, who sees it, and what may be done with it when."""

from typing import Any
from uuid import UUID

from domain.groupbuy.payment import LapsedBecause
from infra.ids import new_id
from tests.api.people import Person, Town, fields, problem
from tests.money_shop import ADDRESS, MoneyShop, Purchase

SHIPPED = {"carrier": "DHL", "tracking_number": "00340434161094015902"}


async def test_an_order_is_followed_from_the_first_try_to_pay_on(town: Town, shop: MoneyShop) -> None:
    """One address says where a purchase is: awaiting payment, paid and waiting for the group, settling, to ship."""
    shopper = town.shopper()
    deal_id = await shop.live(needs_shipping=True)
    first = (await shop.paid_group(deal_id, None))[0]
    bought = await shop.reserve(first, shopper.subject, quantity=2)
    awaiting = await _read(shopper, bought)
    assert (awaiting["status"], awaiting["unit_price"], awaiting["hold"]) == ("awaiting_payment", None, 3_600)
    assert (awaiting["payment"]["amount"], awaiting["payment"]["gateway"]) == (3_600, "sandbox")
    await shop.pay(bought)
    waiting = await _read(shopper, bought)
    assert (waiting["status"], waiting["payment"], waiting["unit_price"]) == ("waiting_for_group", None, None)
    await shop.close(first)
    assert (await _read(shopper, bought))["status"] == "settling"
    await shop.settle()
    order = await _read(shopper, bought)
    assert (order["status"], order["unit_price"], order["captured"], order["version"]) == ("to_ship", 1_800, 3_600, 1)
    assert (order["deal_title"], order["variant"]["title"], order["quantity"]) == ("Kettle", "Red", 2)
    assert (order["address"]["name"], order["address"]["line2"]) == (ADDRESS.name, None)
    assert await _read(town.merchant, bought) == order


async def test_what_came_to_nothing_is_not_paid(town: Town, shop: MoneyShop) -> None:
    """Declined, failed with the group, refused at capture: `not_paid`, whatever the reason, and nothing captured."""
    shopper = town.shopper()
    deal_id = await shop.live()
    declined = await shop.lapse(await shop.reserve_first(deal_id, shopper.subject), LapsedBecause.DECLINED)
    failed = await shop.pay(await shop.reserve_first(deal_id, shopper.subject))
    await shop.close(failed)
    await shop.settle()
    refused = (await shop.paid_group(await shop.live(), shopper.subject, None))[0]
    await shop.close(refused)
    await shop.settle(refusing=[refused.order_id])
    for bought in (declined, failed, refused):
        order = await _read(shopper, bought)
        assert (order["status"], order["captured"], order["unit_price"]) == ("not_paid", 0, None)


async def test_a_digital_order_is_delivered_with_its_payment(town: Town, shop: MoneyShop) -> None:
    """Where nothing is sent there is no address and nothing to ship; buying alone is an order without a group."""
    shopper = town.shopper()
    bought = await shop.pay(await shop.reserve_alone(await shop.live(), shopper.subject))
    await shop.settle()
    order = await _read(shopper, bought)
    assert (order["status"], order["group_id"], order["address"]) == ("delivered", None, None)
    assert (order["unit_price"], order["delivered_at"]) == (2_000, order["placed_at"])
    problem(await _ship(town.merchant, bought), 409, "order-not-shippable")


async def test_an_order_goes_its_way(town: Town, shop: MoneyShop) -> None:
    """Shipped by the merchant, corrected on its way, delivered by the shopper's word; said again changes nothing."""
    shopper = town.shopper()
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), shopper.subject, None))[0]
    early = await shopper.post(f"/v1/orders/{bought.order_id}/deliver")
    problem(early, 409, "order-not-shipped")
    shipped = (await _ship(town.merchant, bought)).json()
    assert (shipped["status"], shipped["carrier"], shipped["version"]) == ("shipped", "DHL", 2)
    assert shipped == await _read(shopper, bought)
    assert (await _ship(town.merchant, bought)).json() == shipped
    corrected = (await _ship(town.merchant, bought, tracking_number="1")).json()
    assert (corrected["tracking_number"], corrected["version"]) == ("1", 3)
    delivered = (await shopper.post(f"/v1/orders/{bought.order_id}/deliver")).json()
    assert delivered["status"] == "delivered"
    assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/deliver")).json() == delivered
    problem(await _ship(town.merchant, bought), 409, "order-not-shippable")


async def test_nothing_is_shipped_before_its_group_succeeded(town: Town, shop: MoneyShop) -> None:
    """A paid place of an open or failed group cannot be shipped, delivered, called off or refunded."""
    shopper = town.shopper()
    deal_id = await shop.live(needs_shipping=True)
    bought = (await shop.paid_group(deal_id, shopper.subject))[0]
    for close in (False, True):
        if close:
            await shop.close(bought)
            await shop.settle()
        problem(await _ship(town.merchant, bought), 409, "order-not-paid")
        path = f"/v1/orders/{bought.order_id}"
        problem(await town.merchant.post(f"{path}/cancel", {"reason": "Sold out"}), 409, "order-not-paid")
        problem(await town.merchant.post(f"{path}/refunds", {"reason": "Broken"}), 409, "order-not-paid")
        problem(await shopper.post(f"{path}/deliver"), 409, "order-not-paid")


async def test_a_cancelled_order_gives_everything_back(town: Town, shop: MoneyShop) -> None:
    """The merchant calls an unshipped order off: all the money is refunded, the units are for sale again, once."""
    shopper = town.shopper()
    deal_id = await shop.live(needs_shipping=True)
    bought = (await shop.orders_of(deal_id, shopper.subject, None, quantity=2))[0]
    path, reason = f"/v1/orders/{bought.order_id}/cancel", {"reason": "The last one broke."}
    cancelled = (await town.merchant.post(path, reason)).json()
    assert (cancelled["status"], cancelled["refunded"]) == ("cancelled", 3_600)
    assert [(refund["amount"], refund["reason"]) for refund in cancelled["refunds"]] == [(3_600, reason["reason"])]
    again = (await town.merchant.post(path, {"reason": "Again"})).json()
    assert again == cancelled
    await shop.make_refunds()
    made = (await _read(shopper, bought))["refunds"][0]
    assert (made["status"], made["made_at"] is not None) == ("done", True)
    stock = (await town.nobody.get(f"/v1/deals/{deal_id}")).json()["variants"][0]
    assert stock["stock"] - stock["stock_left"] == 2
    problem(await _ship(town.merchant, bought), 409, "order-not-shippable")


async def test_a_shipped_order_is_not_called_off(town: Town, shop: MoneyShop) -> None:
    """What is on its way comes back as a return, not as a cancellation."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), None, None))[0]
    await _ship(town.merchant, bought)
    refused = await town.merchant.post(f"/v1/orders/{bought.order_id}/cancel", {"reason": "Too late"})
    problem(refused, 409, "order-not-shippable")


async def test_an_order_is_seen_by_its_two_and_nobody_else(town: Town, shop: MoneyShop) -> None:
    """Others get 404 whatever they ask; before the capture it is none of its merchant's either."""
    shopper = town.shopper()
    deal_id = await shop.live(needs_shipping=True)
    bought = (await shop.paid_group(deal_id, shopper.subject, None))[0]
    path = f"/v1/orders/{bought.order_id}"
    problem(await town.merchant.get(path), 404, "order-not-found")
    await shop.close(bought)
    await shop.settle()
    for other in (town.shopper(), town.person("merchant"), town.person("shopper", "merchant")):
        problem(await other.get(path), 404, "order-not-found")
        problem(await other.post(f"{path}/deliver"), 404, "order-not-found")
    other = town.person("merchant")
    problem(await _ship(other, bought), 404, "order-not-found")
    problem(await other.post(f"{path}/cancel", {"reason": "Mine now"}), 404, "order-not-found")
    problem(await other.post(f"{path}/refunds", {"reason": "Mine now"}), 404, "order-not-found")
    problem(await shopper.get(f"/v1/orders/{new_id()}"), 404, "order-not-found")
    assert (await _read(shopper, bought))["version"] == 1


async def test_lists_are_newest_first_and_narrowed(town: Town, shop: MoneyShop) -> None:
    """A merchant lists what is captured by status, deal and group; a shopper everything he tried to buy."""
    shopper = town.shopper()
    tea, mug = await shop.live(needs_shipping=True), await shop.live()
    first = await shop.orders_of(tea, shopper.subject, None)
    second = await shop.orders_of(mug, shopper.subject, None)
    third = await shop.orders_of(tea, None, shopper.subject)
    open_one = await shop.reserve_first(tea, shopper.subject)
    await _ship(town.merchant, first[0])
    everything = [one.order_id for one in (*first, *second, *third)]
    assert set(await _ids(town.merchant, "/v1/orders")) == set(everything)
    assert await _ids(town.merchant, "/v1/orders?status=shipped") == [first[0].order_id]
    assert await _ids(town.merchant, f"/v1/orders?deal_id={mug}") == _newest_first(second)
    assert await _ids(town.merchant, f"/v1/orders?group_id={third[0].group_id}") == _newest_first(third)
    narrow = f"/v1/orders?group_id={first[0].group_id}&deal_id={tea}&status=to_ship"
    assert await _ids(town.merchant, narrow) == [first[1].order_id]
    assert await _ids(town.merchant, f"/v1/orders?group_id={third[0].group_id}&deal_id={mug}") == []
    mine = _newest_first([first[0], second[0], third[1], open_one])
    assert await _ids(shopper, "/v1/me/orders") == mine
    assert await _ids(shopper, "/v1/me/orders?status=awaiting_payment") == [open_one.order_id]
    assert await _ids(town.person("merchant"), f"/v1/orders?deal_id={tea}") == []
    assert await _ids(town.person("merchant"), f"/v1/orders?group_id={first[0].group_id}") == []
    assert await _ids(town.shopper(), "/v1/me/orders") == []


async def test_lists_come_in_pages(town: Town, shop: MoneyShop) -> None:
    """Cursors lead through every list without a gap or a repeat; one of another list is refused."""
    shopper = town.shopper()
    deal_id = await shop.live(group_size_max=6)
    bought = await shop.orders_of(deal_id, shopper.subject, *[None] * 4)
    bought += await shop.orders_of(deal_id, shopper.subject, None)
    lists = {
        "/v1/orders?": (town.merchant, 7),
        f"/v1/orders?deal_id={deal_id}&": (town.merchant, 7),
        f"/v1/orders?group_id={bought[0].group_id}&": (town.merchant, 5),
        "/v1/me/orders?": (shopper, 2),
    }
    for path, (caller, count) in lists.items():
        whole = await _ids(caller, f"{path}limit=100")
        assert len(whole) == count
        page = (await caller.get(f"{path}limit=1")).json()
        paged = page["items"]
        while page["next_cursor"] is not None:
            page = (await caller.get(f"{path}limit=1&cursor={page['next_cursor']}")).json()
            paged += page["items"]
        assert [UUID(item["id"]) for item in paged] == whole, path
    cursor = (await town.merchant.get("/v1/orders?limit=1")).json()["next_cursor"]
    assert fields(await town.merchant.get(f"/v1/orders?deal_id={deal_id}&cursor={cursor}")) == {"cursor"}


async def test_filters_that_make_no_sense_are_named(town: Town) -> None:
    """Unknown statuses and ids that are none are 422 naming the field; a merchant cannot ask for unpaid ones."""
    assert fields(await town.merchant.get("/v1/orders?status=waiting_for_group")) == {"status"}
    assert fields(await town.merchant.get("/v1/orders?deal_id=1")) == {"deal_id"}
    assert fields(await town.merchant.get("/v1/orders?group_id=x")) == {"group_id"}
    assert fields(await town.shopper().get("/v1/me/orders?status=lost")) == {"status"}
    assert fields(await town.shopper().get("/v1/orders/1")) == {"order_id"}


async def test_what_is_said_of_a_parcel_is_one_line_each(town: Town, shop: MoneyShop) -> None:
    """Carrier, tracking number and reasons that are empty, too long or several lines change nothing."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), None, None))[0]
    assert fields(await _ship(town.merchant, bought, carrier="")) == {"carrier"}
    assert fields(await _ship(town.merchant, bought, tracking_number="1\n2", carrier="x" * 61)) == {
        "carrier",
        "tracking_number",
    }
    path = f"/v1/orders/{bought.order_id}/cancel"
    assert fields(await town.merchant.post(path, {"reason": " "})) == {"reason"}
    assert fields(await town.merchant.post(path, {})) == {"reason"}
    assert (await _read(town.merchant, bought))["version"] == 1


async def test_an_unchanged_order_is_304(town: Town, shop: MoneyShop) -> None:
    """The tag of an order changes with it, before its capture too."""
    shopper = town.shopper()
    bought = (await shop.paid_group(await shop.live(), None))[0]
    bought = await shop.reserve(bought, shopper.subject)
    path = f"/v1/orders/{bought.order_id}"
    tag = (await shopper.get(path)).headers["etag"]
    assert (await shopper.get(path, headers={"if-none-match": tag})).status_code == 304
    await shop.pay(bought)
    changed = await shopper.get(path, headers={"if-none-match": tag})
    assert (changed.status_code, changed.headers["cache-control"]) == (200, "private, no-cache")


async def test_a_repeated_key_is_answered_as_the_first_time(town: Town, shop: MoneyShop) -> None:
    """Promise 6: shipping under a key that comes late again does not undo the correction made since."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), None, None))[0]
    keyed = {"idempotency-key": "ship"}
    first = await _ship(town.merchant, bought, headers=keyed)
    await _ship(town.merchant, bought, tracking_number="2")
    late = await _ship(town.merchant, bought, headers=keyed)
    assert (late.content, late.headers["idempotency-replayed"]) == (first.content, "true")
    assert (await _read(town.merchant, bought))["tracking_number"] == "2"
    problem(await _ship(town.merchant, bought, carrier="UPS", headers=keyed), 422, "idempotency-key-reused")


async def _read(caller: Person, bought: Purchase) -> dict[str, Any]:
    response = await caller.get(f"/v1/orders/{bought.order_id}")
    assert response.status_code == 200, response.text
    order: dict[str, Any] = response.json()
    return order


async def _ship(merchant: Person, bought: Purchase, headers: Any = (), **changes: str) -> Any:
    return await merchant.post(f"/v1/orders/{bought.order_id}/ship", SHIPPED | changes, headers=headers)


async def _ids(caller: Person, path: str) -> list[UUID]:
    response = await caller.get(path)
    assert response.status_code == 200, response.text
    return [UUID(item["id"]) for item in response.json()["items"]]


def _newest_first(bought: list[Purchase]) -> list[UUID]:
    return sorted((one.order_id for one in bought), reverse=True)

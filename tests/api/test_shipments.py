"""Shipments by the file: valid rows are applied, wrong ones named by row and field, nothing else is touched."""

from collections.abc import Sequence
from typing import Any

import pytest

from api.bodies import BODY_BYTES_MAX
from api.shipments import UPLOAD_BYTES_MAX
from infra.ids import new_id
from tests.api.people import Person, Town, fields, problem
from tests.money_shop import MoneyShop, Purchase

HEADER = "order_id,carrier,tracking_number"


@pytest.fixture
async def bought(shop: MoneyShop) -> list[Purchase]:
    """Three orders to ship."""
    return await shop.orders_of(await shop.live(needs_shipping=True), None, None, None)


async def test_valid_rows_are_applied_and_wrong_ones_named(town: Town, shop: MoneyShop, bought: list[Purchase]) -> None:
    """One file with every kind of wrong row: each is named, the good ones are sent on their way all the same."""
    other_shop = MoneyShop(shop.engine, shop.batcher, new_id())
    foreign = (await other_shop.orders_of(await other_shop.live(needs_shipping=True), None, None))[0]
    unpaid = await shop.reserve_first(await shop.live(needs_shipping=True))
    cancelled = bought[2]
    await town.merchant.post(f"/v1/orders/{cancelled.order_id}/cancel", {"reason": "Broken"})
    rows = [
        f"{bought[0].order_id},DHL,1",
        f"{foreign.order_id},DHL,2",
        f"{unpaid.order_id},DHL,3",
        f"{cancelled.order_id},DHL,4",
        f"{bought[0].order_id},UPS,5",
        "not-an-id,DHL,6",
        ",DHL,7",
        f"{new_id()},DHL,8",
        f"{bought[1].order_id},,9",
        f"{bought[1].order_id},DHL,10,more",
    ]
    told = await _told(town.merchant, rows)
    assert (told["applied"], told["unchanged"]) == (1, 0)
    assert [(error["row"], error["field"]) for error in told["errors"]] == [
        (3, "order_id"),
        (4, "order_id"),
        (5, "order_id"),
        (6, "order_id"),
        (7, "order_id"),
        (8, "order_id"),
        (9, "order_id"),
        (10, "carrier"),
        (11, "row"),
    ]
    messages = {error["row"]: error["message"] for error in told["errors"]}
    assert "There is no order" in messages[3]
    assert messages[3].replace(str(foreign.order_id), "") == messages[9].replace(rows[7].split(",")[0], "")
    assert "not paid" in messages[4]
    assert "cancelled" in messages[5]
    assert messages[6] == "is in row 2 already"
    assert await _tracked(town.merchant, bought) == [("shipped", "1"), ("to_ship", None), ("cancelled", None)]


async def test_the_same_file_again_changes_nothing(town: Town, bought: list[Purchase]) -> None:
    """A file whose answer was lost is sent again: rows that say what is known are unchanged, others correct it."""
    rows = [f"{one.order_id},DHL,{number}" for number, one in enumerate(bought)]
    assert await _told(town.merchant, rows) == {"applied": 3, "unchanged": 0, "errors": []}
    assert await _told(town.merchant, rows) == {"applied": 0, "unchanged": 3, "errors": []}
    assert await _told(town.merchant, [f"{bought[0].order_id},UPS,0", *rows[1:]]) == {
        "applied": 1,
        "unchanged": 2,
        "errors": [],
    }


async def test_files_come_as_spreadsheets_write_them(town: Town, bought: list[Purchase]) -> None:
    """With a byte order mark, CRLF, quoted commas and quotes, blank rows, other columns, any order of them."""
    ids = [one.order_id for one in bought]
    file = (
        "\ufeffTracking_Number , notes,order_id,CARRIER\r\n"
        f'"1,5","a\r\nnote",{str(ids[0]).upper()},"The ""Fast"" One"\r\n'
        ",,,\r\n"
        "\r\n"
        f" 2 ,,{ids[1]}, Пошта \r\n"
        f"3,x,{ids[2]},DHL"
    )
    response = await _upload(town.merchant, file.encode())
    assert response.json() == {"applied": 3, "unchanged": 0, "errors": []}
    assert await _tracked(town.merchant, bought) == [("shipped", "1,5"), ("shipped", "2"), ("shipped", "3")]
    order = (await town.merchant.get(f"/v1/orders/{ids[0]}")).json()
    assert order["carrier"] == 'The "Fast" One'


async def test_the_same_comes_as_json(town: Town, bought: list[Purchase]) -> None:
    """JSON rows are numbered from 1; a row of the wrong shape is no upload at all."""
    rows: list[Any] = [
        {"order_id": str(bought[0].order_id), "carrier": "DHL", "tracking_number": "1"},
        {"order_id": "x", "carrier": "DHL", "tracking_number": "1"},
    ]
    path = "/v1/orders/shipments"
    told = (await town.merchant.post(path, {"shipments": rows})).json()
    assert (told["applied"], [(error["row"], error["field"]) for error in told["errors"]]) == (1, [(2, "order_id")])
    rows[1]["carrier"] = 7
    assert fields(await town.merchant.post(path, {"shipments": rows})) == {"shipments[1].carrier"}
    assert fields(await town.merchant.post(path, {})) == {"shipments"}


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("", "has no column order_id"),
        ("order_id;carrier;tracking_number\n", "has no column order_id"),
        ("order_id,carrier\n", "has no column tracking_number"),
        ("order_id,carrier,carrier,tracking_number\n", "names twice the column carrier"),
        (f'{HEADER}\n"a,b,c\n', "row 2 is no CSV"),
        (f"{HEADER}\na,b,{'c' * 140_000}\n", "row 2 is no CSV"),
        (f"{HEADER}\n" + "a,b,c\n" * 5_001, "at most 5000 rows"),
        (f"{HEADER}\nñ".encode("utf-16"), "must be UTF-8"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_whole(town: Town, file: str | bytes, says: str) -> None:
    """Half a quote, no header, two columns of one name, another encoding, too many rows: 422 that says which."""
    response = await _upload(town.merchant, file if isinstance(file, bytes) else file.encode())
    assert fields(response) == {"body"}
    assert says in response.json()["errors"][0]["message"]


async def test_uploads_have_bounds_of_their_own(town: Town) -> None:
    """Up to 1 MiB here, 64 KiB elsewhere; other types are 415, and 5,000 rows are told in one request."""
    row = f"{new_id()},DHL,1"
    rows = [HEADER, *(f"{new_id()},DHL,{number}" for number in range(4_999)), row]
    large = "\r\n".join(rows).encode()
    assert BODY_BYTES_MAX < len(large) < UPLOAD_BYTES_MAX
    told = (await _upload(town.merchant, large)).json()
    assert (told["applied"], len(told["errors"]), told["errors"][-1]["row"]) == (0, 5_000, 5_001)
    problem(await _upload(town.merchant, b"x" * (UPLOAD_BYTES_MAX + 1)), 413, "body-too-large")
    json_body = b'{"shipments":[' + b" " * UPLOAD_BYTES_MAX + b"]}"
    problem(await _upload(town.merchant, json_body, "application/json"), 413, "body-too-large")
    refused = problem(await _upload(town.merchant, b"x", "application/xml"), 415, "wrong-content-type")
    assert "text/csv" in refused["detail"]


async def test_rows_are_told_in_bounded_numbers(town: Town, shop: MoneyShop) -> None:
    """More orders than are told at once are all shipped, each once."""
    deal_id = await shop.live(needs_shipping=True, group_size_max=250)
    bought = await shop.orders_of(deal_id, *[None] * 250)
    rows = [f"{one.order_id},DHL,{number}" for number, one in enumerate(bought)]
    assert await _told(town.merchant, rows) == {"applied": 250, "unchanged": 0, "errors": []}
    page = (await town.merchant.get("/v1/orders?status=to_ship")).json()
    assert page["items"] == []


async def _upload(merchant: Person, body: bytes, content_type: str = "text/csv; charset=utf-8") -> Any:
    return await merchant.post("/v1/orders/shipments", content=body, headers={"content-type": content_type})


async def _told(merchant: Person, rows: Sequence[str]) -> Any:
    response = await _upload(merchant, "\n".join([HEADER, *rows, ""]).encode())
    assert response.status_code == 200, response.text
    return response.json()


async def _tracked(merchant: Person, bought: Sequence[Purchase]) -> list[tuple[str, str | None]]:
    orders = [(await merchant.get(f"/v1/orders/{one.order_id}")).json() for one in bought]
    return [(order["status"], order["tracking_number"]) for order in orders]


async def test_who_sent_and_delivered_is_in_the_log(town: Town, bought: list[Purchase]) -> None:
    """An entry for each order, of the merchant's side alone, without carrier or tracking number; said again, none."""
    rows = [f"{bought[0].order_id},DHL,TRACK-0", f"{bought[1].order_id},DHL,TRACK-1"]
    for _ in range(2):
        await _told(town.merchant, rows)
    body = {"carrier": "UPS", "tracking_number": "TRACK-2"}
    assert (await town.merchant.post(f"/v1/orders/{bought[2].order_id}/ship", body)).status_code == 200
    assert (await town.merchant.post(f"/v1/orders/{bought[2].order_id}/deliver")).status_code == 200
    shopper = Person(
        town.client, bought[1].shopper_id, town.issuer.issue(bought[1].shopper_id, frozenset({"shopper"}), 600, None)
    )
    assert (await shopper.post(f"/v1/orders/{bought[1].order_id}/deliver")).status_code == 200
    log = await town.merchant.get(f"/v1/merchants/{town.merchant.subject}/audit")
    entries = [(each["action"], each["thing"]["id"], each["before"], each["after"]) for each in log.json()["items"]]
    shipped = ({"status": "to_ship"}, {"status": "shipped"})
    ids = [str(one.order_id) for one in bought]
    assert entries[0] == ("order.deliver", ids[2], {"status": "shipped"}, {"status": "delivered"})
    assert sorted(entries[1:]) == sorted(("order.ship", order_id, *shipped) for order_id in ids)
    assert "TRACK" not in log.text

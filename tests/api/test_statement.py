"""A merchant's statement: opening, every change and closing fit to the cent, as JSON and as CSV."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api import statement_csv
from api.statement_csv import text_cell
from domain.pricing import ledger
from domain.pricing.ledger import Movement
from infra.ids import new_id
from tests.api.people import Person, Town, fields, problem
from tests.money_shop import MoneyShop

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
TOTALS = {
    "captured": "captured",
    "fee": "fees",
    "reward": "rewards",
    "refund": "refunds",
    "fee_returned": "fees_returned",
    "reward_returned": "rewards_returned",
}
"""The total that the lines of a cause make."""
_INSERT = text("""
  INSERT INTO ledger (deal_id, order_id, cause, cause_id, from_account, to_account, merchant_id, currency,
                      amount_minor, at)
  VALUES (:deal_id, :order_id, :cause, :cause_id, :from_account, :to_account, :merchant_id, :currency,
          :amount_minor, :at)""")


async def test_a_statement_tells_what_orders_and_refunds_did(town: Town, shop: MoneyShop) -> None:
    """Two orders at 18.00, fee 2.5 %, half of one refunded: every cause in the totals and in the lines."""
    bought = await shop.orders_of(await shop.live(needs_shipping=True), None, None)
    refund = {"amount": 900, "currency": "EUR", "reason": "A dent."}
    await town.merchant.post(f"/v1/orders/{bought[0].order_id}/refunds", refund)
    await shop.make_refunds()
    told = await _statement(town.merchant, *_around_now())
    assert told["balances"] == [
        {
            "currency": "EUR",
            "opening": 0,
            "captured": 3_600,
            "fees": -90,
            "rewards": 0,
            "refunds": -900,
            "fees_returned": 23,
            "rewards_returned": 0,
            "closing": 2_633,
        }
    ]
    lines = [(line["cause"], line["amount"], line["amount_text"], line["deal_title"]) for line in told["items"]]
    assert Counter(lines) == {
        ("captured", 1_800, "18.00", "Kettle"): 2,
        ("fee", -45, "-0.45", "Kettle"): 2,
        ("refund", -900, "-9.00", "Kettle"): 1,
        ("fee_returned", 23, "0.23", "Kettle"): 1,
    }
    assert told["items"][-1]["order_id"] == str(bought[0].order_id)
    assert told["items"][0]["group_id"] == str(bought[0].group_id)


@pytest.mark.parametrize("seed", range(6))
async def test_opening_and_lines_make_closing(
    town: Town, shop: MoneyShop, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happened and wherever the period is cut: opening + lines = closing, totals are the sums of their lines.

    Pages and CSV have the same lines, and the closing of one period is the opening of the next.
    """
    chance = random.Random(seed)
    monkeypatch.setattr(statement_csv, "LINES_AT_ONCE", chance.randint(1, 5))
    deals = {currency: await shop.draft(currency=currency) for currency in ("EUR", "JPY", "KWD")}
    await _any_history(shop, chance, deals)
    begin = BEGIN + timedelta(minutes=chance.randint(0, 600))
    end = begin + timedelta(minutes=chance.randint(1, 600))
    path = f"/v1/me/statement?from={_z(begin)}&to={_z(end)}"
    told = await _all_pages(town.merchant, path, chance.randint(1, 7))
    for balance in told["balances"]:
        lines = [line for line in told["items"] if line["currency"] == balance["currency"]]
        assert balance["opening"] + sum(line["amount"] for line in lines) == balance["closing"]
        for cause, total in TOTALS.items():
            assert balance[total] == sum(line["amount"] for line in lines if line["cause"] == cause)
        one = await _statement(town.merchant, begin, end, currency=balance["currency"])
        assert one["balances"] == [balance]
    assert [line["at"] for line in told["items"]] == sorted(line["at"] for line in told["items"])
    assert all(_z(begin) <= line["at"] < _z(end) for line in told["items"])
    before = await _statement(town.merchant, BEGIN - timedelta(days=1), begin)
    openings = {balance["currency"]: balance["opening"] for balance in told["balances"]}
    assert all(openings[balance["currency"]] == balance["closing"] for balance in before["balances"])
    assert await _csv(town.merchant, path) == list(_as_csv(told))


async def test_a_statement_is_its_merchants_alone(town: Town, shop: MoneyShop) -> None:
    """Another merchant's account is empty, and his own to read; shoppers have none."""
    await shop.orders_of(await shop.live(), None, None)
    assert (await _statement(town.person("merchant"), *_around_now())) == {
        "balances": [],
        "items": [],
        "next_cursor": None,
    }
    begin, end = map(_z, _around_now())
    problem(await town.shopper().get(f"/v1/me/statement?from={begin}&to={end}"), 403, "role-missing")


async def test_a_period_is_bounded_and_said_in_full(town: Town) -> None:
    """No period, one that ends before it begins, of two years, without a zone, of no currency: 422 naming the field."""
    cases = {
        "": {"from"},
        "from=2026-05-01T00:00:00Z": {"to"},
        "from=2026-05-01&to=2026-06-01T00:00:00Z": {"from"},
        "from=2026-05-01T00:00:00&to=2026-06-01T00:00:00Z": {"from"},
        "from=2026-05-01T00:00:00+02:00&to=2026-06-01T00:00:00Z": {"from"},
        "from=2026-02-30T00:00:00Z&to=2026-06-01T00:00:00Z": {"from"},
        "from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z": {"from"},
        "from=2026-05-01T00:00:00Z&to=2026-05-01T00:00:00Z": {"to"},
        "from=2026-05-01T00:00:00Z&to=2027-05-03T00:00:00Z": {"to"},
        "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&currency=eur": {"currency"},
        "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&format=pdf": {"format"},
        "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&format=csv&limit=5": {"limit"},
        "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&cursor=x": {"cursor"},
    }
    for query, named in cases.items():
        assert fields(await town.merchant.get(f"/v1/me/statement?{query}")) == named, query
    zoned = "from=2026-05-01T00:00:00%2B02:00&to=2026-06-01T00:00:00Z"
    assert (await town.merchant.get(f"/v1/me/statement?{zoned}")).status_code == 200


async def test_a_csv_is_a_file_that_no_spreadsheet_runs(town: Town, shop: MoneyShop) -> None:
    """Titles that look like formulas, with quotes and commas, come back as text; numbers stay numbers."""
    title = '=HYPERLINK("http://x","a, b")'
    deal_id = await shop.live(title=title, needs_shipping=True)
    bought = await shop.orders_of(deal_id, None, None)
    await town.merchant.post(f"/v1/orders/{bought[0].order_id}/refunds", {"reason": "Broken."})
    begin, end = _around_now()
    path = f"/v1/me/statement?from={_z(begin)}&to={_z(end)}&format=csv"
    response = await town.merchant.get(path)
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["content-disposition"].startswith('attachment; filename="statement-20')
    assert "\r\n" in response.text
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert {row["deal_title"] for row in rows[1:-1]} == {f"'{title}"}
    assert [row["amount"] for row in rows if row["cause"] == "refund"] == ["-18.00"]
    assert (rows[0]["cause"], rows[-1]["cause"], rows[-1]["amount"]) == ("opening_balance", "closing_balance", "17.55")
    head = await town.merchant.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "\uff20SUM(A1)"]
)
def test_what_begins_a_formula_is_quoted(cell: str) -> None:
    """Each character a spreadsheet takes for the beginning of a formula is preceded by a single quote."""
    assert text_cell(cell) == f"'{cell}"
    assert text_cell(f"Kettle;{cell}") == f"Kettle;'{cell}"  # `;` parts the cells where the comma parts decimals


def test_other_text_stays_as_it_is() -> None:
    """Nothing else is touched."""
    for cell in ("Kettle", "", "a=1", "'quoted", "1-2", "a; b", "a, -1"):
        assert text_cell(cell) == cell


async def _any_history(shop: MoneyShop, chance: random.Random, deals: dict[str, UUID]) -> None:
    """Holds, settlements and refunds as the ledger would have them, at any times; some of another merchant."""
    rows: list[dict[str, object]] = []
    for _ in range(40):
        currency, order_id = chance.choice(list(deals)), new_id()
        merchant_id = chance.choice([shop.merchant_id] * 4 + [new_id()])
        of_order = {
            "deal_id": deals[currency],
            "order_id": order_id,
            "currency": currency,
            "merchant_id": merchant_id,
        }
        captured = chance.choice([0, chance.randint(1, 10), chance.randint(1, 10**12)])
        fee = captured * chance.choice([0, 250, 9_999]) // 10_000
        reward = chance.randint(0, captured - fee)
        moment = BEGIN + timedelta(minutes=chance.randint(0, 900))
        settled = [ledger.held(captured + 7), *ledger.settled(captured, 7, fee, reward)]
        rows += [_row(of_order, movement, order_id, moment) for movement in settled]
        if captured and chance.random() < 0.6:
            refund_id, back = new_id(), chance.randint(1, captured)
            fee_back, reward_back = chance.randint(0, min(fee, back)), chance.randint(0, min(reward, back))
            later = moment + timedelta(minutes=chance.randint(0, 60))
            made = [*ledger.refunded(back, fee_back, reward_back), ledger.refund_made(back)]
            rows += [_row(of_order, movement, refund_id, later) for movement in made]
    async with shop.engine.begin() as connection:
        await connection.execute(_INSERT, rows)


def _row(of_order: dict[str, object], movement: Movement, cause_id: UUID, at: datetime) -> dict[str, object]:
    names = ("cause", "from_account", "to_account", "amount_minor")
    return of_order | {name: getattr(movement, name) for name in names} | {"cause_id": cause_id, "at": at}


def _as_csv(told: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for balance in told["balances"]:
        yield ("opening_balance", balance["currency"], str(balance["opening"]))
    for line in told["items"]:
        yield (line["cause"], line["currency"], str(line["amount"]))
    for balance in told["balances"]:
        yield ("closing_balance", balance["currency"], str(balance["closing"]))


async def _csv(merchant: Person, path: str) -> list[tuple[str, ...]]:
    response = await merchant.get(f"{path}&format=csv")
    assert response.status_code == 200, response.text
    rows = csv.DictReader(io.StringIO(response.text))
    return [(row["cause"], row["currency"], row["amount_minor"]) for row in rows]


async def _all_pages(merchant: Person, path: str, limit: int) -> dict[str, Any]:
    first = (await merchant.get(f"{path}&limit={limit}")).json()
    page = first
    while page["next_cursor"] is not None:
        page = (await merchant.get(f"{path}&limit={limit}&cursor={page['next_cursor']}")).json()
        assert page["balances"] is None
        first["items"] += page["items"]
    told: dict[str, Any] = first
    return told


async def _statement(merchant: Person, begin: datetime, end: datetime, **query: str) -> dict[str, Any]:
    params = {"from": _z(begin), "to": _z(end), "limit": "100"} | query
    response = await merchant.get("/v1/me/statement", params=params)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def _around_now() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(days=2), now + timedelta(days=2)


def _z(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")

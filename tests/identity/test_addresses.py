"""The address book: one default, twenty at most, and a copy for each order."""

import asyncio
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.contract.examples import ADDRESS
from infra.identity.address_book import ADDRESSES_MAX
from tests.api.people import Town, fields, problem
from tests.identity.members import Member, signed_in

BOOK = "/v1/me/addresses"


async def test_one_address_is_the_default(town: Town) -> None:
    """The first one is; another takes it over; after the default is deleted the oldest of the others is it."""
    mei = await signed_in(town)
    home = await _added(mei, "Home")
    work = await _added(mei, "Work", line1="1 Station Road")
    mum = await _added(mei, "Mum", line1="2 Station Road", is_default=True)
    assert await _labels(mei) == ["Mum*", "Home", "Work"]
    assert (await mei.patch(f"{BOOK}/{work['id']}", {"is_default": True})).json()["is_default"] is True
    assert await _labels(mei) == ["Work*", "Home", "Mum"]
    assert fields(await mei.patch(f"{BOOK}/{work['id']}", {"is_default": False})) == {"is_default"}
    assert (await mei.delete(f"{BOOK}/{work['id']}")).status_code == 204
    assert await _labels(mei) == ["Home*", "Mum"]
    for entry in (home, mum):
        await mei.delete(f"{BOOK}/{entry['id']}")
    assert await _labels(mei) == []
    problem(await mei.delete(f"{BOOK}/{mum['id']}"), 404, "address-not-found")


async def test_an_address_is_changed_as_a_whole(town: Town) -> None:
    """What is left out stays: the label alone, the address alone; what no address is made of is named."""
    mei = await signed_in(town)
    path = f"{BOOK}/{(await _added(mei, 'Home'))['id']}"
    assert (await mei.patch(path, {"label": None})).json()["label"] is None
    moved = (await mei.patch(path, {"address": {**ADDRESS, "city": "Leeds"}})).json()
    assert (moved["address"]["city"], moved["label"], moved["is_default"]) == ("Leeds", None, True)
    wrong = {**ADDRESS, "country": "England", "name": " "}
    assert fields(await mei.patch(path, {"address": wrong})) == {"address.country", "address.name"}
    assert fields(await mei.post(BOOK, {"address": wrong})) == {"address.country", "address.name"}
    assert fields(await mei.post(BOOK, {"address": ADDRESS, "label": "two\nlines"})) == {"label"}
    assert len(await _labels(mei)) == 1


async def test_twenty_addresses_and_no_more(town: Town) -> None:
    """Two phones that add at once do not get past it; an address that is there already is no new one."""
    mei = await signed_in(town)
    body = {"address": ADDRESS}
    answers = await asyncio.gather(*(mei.post(BOOK, {**body, "label": str(n)}) for n in range(ADDRESSES_MAX + 3)))
    assert sorted(answer.status_code for answer in answers) == [201] * ADDRESSES_MAX + [409] * 3
    problem(await mei.post(BOOK, {**body, "label": "one more"}), 409, "too-many-addresses")
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    again = await mei.post(BOOK, {**body, "label": made["label"]})
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    assert [label for label in await _labels(mei) if label.endswith("*")] == (await _labels(mei))[:1]


async def test_joining_copies_an_address_of_the_book(town: Town, engine: AsyncEngine) -> None:
    """`address_id` stands for the address as it is then; a later move reaches no order."""
    mei = await signed_in(town)
    entry = await _added(mei, "Home")
    deal = await _paid_deal(town)
    body = {"address_id": entry["id"], "payment_method": "sandbox_approve"}
    opened = await mei.post(f"/v1/deals/{deal['id']}/groups", body)
    assert opened.status_code in {201, 202}, opened.text
    alone = await mei.post(f"/v1/deals/{deal['id']}/orders", body)
    assert alone.status_code in {201, 202}, alone.text
    await mei.patch(f"{BOOK}/{entry['id']}", {"address": {**ADDRESS, "city": "Leeds"}})
    async with engine.connect() as connection:
        cities = (await connection.execute(text("SELECT address ->> 'city' FROM payments"))).scalars().all()
    assert cities == [ADDRESS["city"]] * 2


async def test_nobody_ships_to_somebody_elses_address(town: Town) -> None:
    """Another's id is as unknown as one that was never there, wherever it is named."""
    mei, ben = await signed_in(town), await signed_in(town)
    entry = await _added(mei, "Home")
    deal = await _paid_deal(town)
    for address_id in (entry["id"], str(uuid4())):
        for path in (f"/v1/deals/{deal['id']}/groups", f"/v1/deals/{deal['id']}/orders"):
            assert fields(await ben.post(path, {"address_id": address_id})) == {"address_id"}
    both = {"address_id": entry["id"], "address": ADDRESS}
    assert fields(await mei.post(f"/v1/deals/{deal['id']}/groups", both)) == {"address_id"}
    problem(await ben.patch(f"{BOOK}/{entry['id']}", {"label": "Mine"}), 404, "address-not-found")
    problem(await ben.delete(f"{BOOK}/{entry['id']}"), 404, "address-not-found")
    assert await _labels(mei) == ["Home*"]
    assert await _labels(ben) == []


async def test_a_token_of_no_account_has_no_book(town: Town) -> None:
    """Operators' tokens are of nobody."""
    operator = Member(town.client, town.merchant.subject, town.merchant.token)
    problem(await operator.post(BOOK, {"address": ADDRESS}), 404, "account-not-found")
    assert await _labels(operator) == []


async def _paid_deal(town: Town) -> dict[str, Any]:
    return await town.live_deal(needs_shipping=True)


async def _added(member: Member, label: str, *, is_default: bool = False, **changes: str) -> dict[str, Any]:
    body = {"label": label, "address": {**ADDRESS, **changes}, "is_default": is_default}
    answer = await member.post(BOOK, body)
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def _labels(member: Member) -> list[str]:
    entries = (await member.get(BOOK)).json()["items"]
    return [f"{entry['label']}{'*' if entry['is_default'] else ''}" for entry in entries]

"""Export of one's own data: complete, one's own alone, and bounded."""

from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy import LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncEngine

import infra.reading.export
import infra.schema_check
from api.contract.examples import ADDRESS
from api.export import Export
from domain.identity.permissions import StaffRole
from infra.every_table import metadata
from infra.identity.personal import NOT_PERSONAL, SECTIONS
from infra.notices.outbox import read_outbox
from infra.notices.telling import tell_chunk
from tests.api.people import Town, problem
from tests.identity.houses import SAID, applied
from tests.identity.members import Member, signed_in, signed_in_as_guest
from tests.money_shop import MoneyShop


def test_every_table_is_told_of_or_holds_nothing_about_anybody() -> None:
    """A new table, or a new column of one that is told of, fails here until somebody has said which it is."""
    told = {section.table: section for section in SECTIONS}
    assert set(told) | set(NOT_PERSONAL) == set(metadata.tables)
    assert not set(told) & set(NOT_PERSONAL)
    for name, section in told.items():
        columns = metadata.tables[name].columns
        assert {*section.told, *section.withheld} == set(columns.keys()), name
        assert len(section.told) + len(section.withheld) == len(columns), name
        assert all(section.withheld.values())
        secret = {column.name for column in columns if isinstance(column.type, LargeBinary)}
        assert not secret & set(section.told), name


def test_the_document_names_every_section() -> None:
    """What is said of the export is what it holds."""
    assert list(Export.__struct_fields__) == [section.name for section in SECTIONS]


async def test_everything_of_somebody_is_in_their_export(town: Town, shop: MoneyShop, engine: AsyncEngine) -> None:
    """Profile, ways in, sessions, book, devices, places, money and invites of theirs, and nobody else's."""
    mei, ben = await signed_in(town), await signed_in(town)
    bought = await _live_here(town, shop, mei)
    await _live_here(town, shop, ben)
    while await read_outbox(engine) or await tell_chunk(engine):
        pass
    document = await _export(mei)
    at_work = {"staff", "merchants", "staff_invites"}
    assert all(document[section.name] for section in SECTIONS if section.name not in at_work)
    assert document["accounts"][0]["id"] == str(mei.subject)
    assert [row["subject"] for row in document["identities"]] == [mei.phone]
    assert {row["order_id"] for row in document["payments"]} == {str(order_id) for order_id in bought}
    assert {row["order_id"] for row in document["places"]} <= {str(order_id) for order_id in bought}
    assert document["payments"][0]["address"]["city"] == "London"
    told = str(document)
    assert ben.phone not in told
    assert str(ben.subject) not in told
    async with engine.connect() as connection:
        tokens = (await connection.execute(text("SELECT encode(token_hash, 'hex') FROM refresh_tokens"))).scalars()
        assert not any(token in told for token in tokens)


async def test_owners_are_told_what_they_wrote_of_their_business(app: Litestar, town: Town) -> None:
    """Whoever applied gets contact and text back; who only works there is told that, and no more."""
    house = await applied(app, town)
    editor = await house.hired(StaffRole.EDITOR)
    told, told_editor = (await _export(house.owner))["merchants"], await _export(editor)
    assert [(row["contact"], row["about"]) for row in told] == [(SAID["contact"], SAID["about"])]
    assert [row["role"] for row in told_editor["staff"]] == ["editor"]
    assert SAID["contact"] not in str(told_editor)


async def test_a_guest_who_became_somebody_is_told_of_too(town: Town, engine: AsyncEngine) -> None:
    """What was done under the guest's id is the person's."""
    guest = await signed_in_as_guest(town)
    group = await town.open_group(guest)
    mei = await signed_in(town)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE accounts SET status = 'merged', merged_into = :mei WHERE id = :guest"),
            {"mei": mei.subject, "guest": guest.subject},
        )
    document = await _export(mei)
    assert [row["group_id"] for row in document["places"]] == [group["id"]]
    assert len(document["accounts"]) == 2


@pytest.mark.parametrize("at_once", [1, 2, 3, 500])
async def test_an_export_of_many_pages_is_one_document(
    town: Town, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However the pages fall, each row is told once."""
    monkeypatch.setattr(infra.reading.export, "ROWS_AT_ONCE", at_once)
    mei = await signed_in(town)
    for label in "abcd":
        await mei.post("/v1/me/addresses", {"label": label, "address": ADDRESS})
    document = await _export(mei)
    assert sorted(row["label"] for row in document["addresses"]) == ["a", "b", "c", "d"]


async def test_nobody_asks_for_it_again_and_again(town: Town, app: Litestar) -> None:
    """Whoever asks too often is told when to come back; a token of no account has nothing to export."""
    mei = await signed_in(town)
    answers = [(await mei.get("/v1/me/export")).status_code for _ in range(12)]
    limited = app.state.runtime.settings.rate_limits
    assert answers == ([200] * 10 + [429] * 2 if limited else [200] * 12)
    problem(await town.shopper().get("/v1/me/export"), 404, "account-not-found")
    head = await (await signed_in(town)).ask("HEAD", "/v1/me/export")
    assert (head.status_code, head.content) == (200, b"")


async def _live_here(town: Town, shop: MoneyShop, member: Member) -> list[Any]:
    """Leave a trace of every kind."""
    await member.patch("/v1/me", {"avatar_url": "https://img.example/me.png"})
    await member.post("/v1/me/addresses", {"address": ADDRESS})
    await member.post("/v1/me/devices", {"platform": "ios", "push_token": member.phone})
    sold = await shop.orders_of(await shop.live(needs_shipping=True), member.subject, None)
    path = f"/v1/orders/{sold[0].order_id}/refunds"
    assert (await town.merchant.post(path, {"reason": "It came broken."})).status_code == 201
    open_one = await shop.paid_group(await shop.live(needs_shipping=True), member.subject)
    await member.post(f"/v1/groups/{open_one[0].group_id}/invites")
    return [sold[0].order_id, open_one[0].order_id]


async def _export(member: Member) -> dict[str, list[dict[str, Any]]]:
    answer = await member.get("/v1/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    document: dict[str, list[dict[str, Any]]] = answer.json()
    assert list(document) == [section.name for section in SECTIONS]
    return document

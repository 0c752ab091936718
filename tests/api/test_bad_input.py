"""Bad input: a problem with the field named, 4xx, nothing changed."""

import json
from typing import Any
from uuid import uuid4

from api import requests
from tests.api.people import Town, deal_body, fields, problem

TIER = {"participants": 2, "unit_price": 900}
HUGE = 10**40
DAY = "2030-05-01T00:00:00Z"


def tiers(*pairs: tuple[int, int]) -> dict[str, Any]:
    return {"tiers": [{"participants": count, "unit_price": price} for count, price in pairs]}


WRONG_DEALS: list[tuple[dict[str, Any], str]] = [
    (tiers(), "tiers"),
    (tiers(*((count, 1_000 - count) for count in range(2, 23))) | {"group_size_max": 50}, "tiers"),
    (tiers((2, 900), (2, 800)), "tiers[1].participants"),
    (tiers((4, 900), (3, 800)), "tiers[1].participants"),
    (tiers((2, 900), (4, 900)), "tiers[1].unit_price"),
    (tiers((2, 900), (4, 950)), "tiers[1].unit_price"),
    (tiers((0, 900)), "tiers[0].participants"),
    (tiers((2, 0)), "tiers[0].unit_price"),
    (tiers((2, -1)), "tiers[0].unit_price"),
    (tiers((2, HUGE)), "tiers[0].unit_price"),
    (tiers((2, 1_200)), "tiers[0].unit_price"),
    (tiers((6, 900)), "group_size_max"),
    ({"tiers": [{"participants": 2}]}, "tiers[0].unit_price"),
    ({"tiers": [TIER | {"colour": "red"}]}, "tiers[0].colour"),
    ({"tiers": [TIER | {"unit_price": 9.5}]}, "tiers[0].unit_price"),
    ({"tiers": [TIER | {"unit_price": True}]}, "tiers[0].unit_price"),
    ({"tiers": "2:900"}, "tiers"),
    ({"solo_price": 0}, "solo_price"),
    ({"solo_price": "1200"}, "solo_price"),
    ({"solo_price": 1200.0}, "solo_price"),
    ({"solo_price": ...}, "solo_price"),
    ({"currency": "XXX"}, "currency"),
    ({"currency": "usd"}, "currency"),
    ({"currency": None}, "currency"),
    ({"title": ""}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "a\0b"}, "title"),
    ({"title": "a\ud800b"}, "title"),
    ({"title": 5}, "title"),
    ({"title": ...}, "title"),
    ({"description": "x" * 5_001}, "description"),
    ({"image_url": "javascript:alert(1)"}, "image_url"),
    ({"image_url": "http://\udfff"}, "image_url"),
    ({"group_size_max": 1}, "group_size_max"),
    ({"group_size_max": HUGE}, "group_size_max"),
    ({"group_lifetime_s": 30 * 24 * 3600 + 1}, "group_lifetime_s"),
    ({"group_lifetime_s": 0}, "group_lifetime_s"),
    ({"group_lifetime_s": HUGE}, "group_lifetime_s"),
    ({"starts_at": DAY, "ends_at": "2030-04-30T00:00:00Z"}, "ends_at"),
    ({"starts_at": "2030-05-01T00:00:00"}, "starts_at"),
    ({"starts_at": "soon"}, "starts_at"),
    ({"ends_at": "0001-01-01T00:00:00+23:59"}, "ends_at"),
    ({"ends_at": "9999-12-31T23:59:59-23:59", "grouping": "crowd"}, "ends_at"),
    ({"ends_at": "2030-05-01T00:00:00", "grouping": "crowd"}, "ends_at"),
    ({"grouping": "family"}, "grouping"),
    ({"units_per_shopper_max": 0}, "units_per_shopper_max"),
    ({"units_per_shopper_max": HUGE}, "units_per_shopper_max"),
    ({"stock": -1}, "stock"),
    ({"stock": HUGE}, "stock"),
    ({"stock": ...}, "stock"),
    ({"variants": [{"title": "red", "stock": 1}]}, "stock"),
    ({"variants": [], "stock": ...}, "variants"),
    ({"variants": [{"title": "red", "stock": 1}] * 2, "stock": ...}, "variants[1].title"),
    ({"variants": [{"title": "\x1b[2J", "stock": 1}], "stock": ...}, "variants[0].title"),
    ({"variants": [{"title": "red"}], "stock": ...}, "variants[0].stock"),
    ({"merchant_id": str(uuid4())}, "merchant_id"),
    ({"status": "live"}, "status"),
]


def test_what_is_no_id_takes_no_room() -> None:
    """Ids are remembered, and nothing else: paths are as long as callers like."""
    before = requests._read_id.cache_info().currsize
    assert requests.read_id("0" * 60_000) is None
    assert requests._read_id.cache_info().currsize == before


async def test_a_wrong_deal_names_its_field(town: Town) -> None:
    """Each way a deal can be wrong is 422 with the field named as it was written, and no deal is there after."""
    for changes, field in WRONG_DEALS:
        answer = await town.merchant.ask("POST", "/v1/deals", content=json.dumps(deal_body(**changes)))
        assert field in fields(answer), (changes, answer.text)
    assert (await town.merchant.get("/v1/deals?status=draft")).json()["items"] == []


async def test_all_wrong_fields_are_named_at_once(town: Town) -> None:
    """Nobody has to fix one field to hear of the next."""
    wrong = deal_body(
        title="", currency="EURO", solo_price=0, stock=-1, group_lifetime_s=0, starts_at="1999-01-01T00:00:00Z"
    )
    named = {"title", "currency", "solo_price", "stock", "group_lifetime_s", "starts_at"}
    assert named <= fields(await town.merchant.post("/v1/deals", wrong))


SAID: list[tuple[dict[str, Any], str, str]] = [
    ({"grouping": "family"}, "grouping", "must be one of team, crowd"),
    ({"ends_at": "tomorrow"}, "ends_at", "must be a time such as 2026-05-01T12:00:00Z"),
    ({"solo_price": 9.5}, "solo_price", "must be a whole number, not a number with a fraction"),
    ({"title": "  ", "stock": 5}, "title", "must have from 1 to 200 characters"),
]


async def test_a_wrong_field_is_told_once_and_what_it_may_be(town: Town) -> None:
    """What is said of a field is enough to put it right, in writing a deal as in editing one."""
    draft = await town.draft()
    for changes, field, message in SAID:
        written = await town.merchant.post("/v1/deals", deal_body(**changes))
        edited = await town.merchant.ask("PATCH", f"/v1/deals/{draft['id']}", changes)
        for answer in (written, edited):
            assert answer.json()["errors"] == [{"field": field, "message": message}], answer.text


WRONG_PLACES: list[tuple[bytes, str]] = [
    (b'{"quantity": 0}', "quantity"),
    (b'{"quantity": -5}', "quantity"),
    (b'{"quantity": 1001}', "quantity"),
    (b'{"quantity": 1e3}', "quantity"),
    (b'{"quantity": true}', "quantity"),
    (b'{"quantity": null}', "quantity"),
    (b'{"quantity": ' + b"9" * 5_000 + b"}", "quantity"),
    (b'{"quantity": 1e400}', "quantity"),
    (b'{"quantity": {"$gt": 0}}', "quantity"),
    (b'{"variant_id": "red"}', "variant_id"),
    (b'{"invite_code": "a b"}', "invite_code"),
    (b'{"invite_code": "\\u0000"}', "invite_code"),
    (b'{"invite_code": "\\ud800"}', "invite_code"),
    (b'{"invite_code": ""}', "invite_code"),
    (b'{"invite_code": "' + b"x" * 65 + b'"}', "invite_code"),
    (b'{"invite_code": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "invite_code"),
    (b'{"shopper_id": "me"}', "shopper_id"),
    (b'{"\\ud800": 1}', "\\ud800"),
    (b"[]", "body"),
    (b"[" * 30_000, "body"),  # the wrong shape is seen before the end that never comes
    (b"null", "body"),
    (b'"join"', "body"),
]


async def test_a_wrong_place_names_its_field_and_takes_nothing(town: Town) -> None:
    """Each way a join can be wrong is 422 with the field named, and nobody is in after."""
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}"
    for body, field in WRONG_PLACES:
        answer = await town.shopper().ask("POST", f"{path}/participants", content=body)
        assert field in fields(answer), (body[:60], answer.text)
    assert (await town.nobody.get(path)).json()["participants"] == 1


WRONG_IDS = (
    "1",
    "me",
    "%00",
    "%F0%9F%8D%B5",
    "01997b407b7ea5d06e1f0c9d3a4203c1",
    "{01997b40-03c1-7b7e-a5d0-6e1f0c9d3a42}",
    "x" * 500,
)


async def test_an_id_that_is_none_names_itself(town: Town) -> None:
    """Ids of the path are UUIDs in their usual form; anything else is 422 naming the part of the path."""
    for wrong in WRONG_IDS:
        shopper = town.shopper()
        assert fields(await town.nobody.get(f"/v1/deals/{wrong}")) == {"deal_id"}
        assert fields(await town.nobody.get(f"/v1/groups/{wrong}")) == {"group_id"}
        assert fields(await shopper.post(f"/v1/groups/{wrong}/participants")) == {"group_id"}
        assert fields(await town.merchant.post(f"/v1/deals/{wrong}/publish")) == {"deal_id"}
        problem(await town.nobody.get(f"/v1/invites/{'a%00' + wrong}"), 404, "invite-not-found")


WRONG_QUERIES = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("limit=-1", "limit"),
    ("limit=%31%30.5", "limit"),
    ("limit=", "limit"),
    ("limit=\u0661".encode().decode("latin-1"), "limit"),
    ("limit=1&limit=2", "limit"),
    ("cursor=", "cursor"),
    ("cursor=abc", "cursor"),
    ("cursor=" + "a" * 600, "cursor"),
    ("cursor=%00", "cursor"),
    ("sort=cheapest", "sort"),
    ("status=LIVE", "status"),
    ("q=%00", "q"),
    ("q=" + "x" * 101, "q"),
    ("merchant_id=me", "merchant_id"),
    ("status=draft&limit=-1", "limit"),
    ("status=draft&cursor=abc", "cursor"),
    ("status=draft&q=%00", "q"),
    ("status=draft&sort=cheapest", "sort"),
    ("q=%ff", "query"),
    ("q=%ed%a0%80", "query"),
    ("&".join(f"a{number}=1" for number in range(30)), "query"),
]


async def test_a_wrong_query_names_its_field(town: Town) -> None:
    """Values of the query are judged before anything is read."""
    for query, field in WRONG_QUERIES:
        assert fields(await town.nobody.get(f"/v1/deals?{query}")) == {field}, query


async def test_a_cursor_of_another_list_is_refused(town: Town) -> None:
    """A cursor belongs to the list, and the order, that gave it out."""
    for _ in range(2):
        await town.live_deal()
    cursor = (await town.nobody.get("/v1/deals?limit=1&sort=newest")).json()["next_cursor"]
    assert (await town.nobody.get(f"/v1/deals?limit=1&sort=newest&cursor={cursor}")).status_code == 200
    assert fields(await town.nobody.get(f"/v1/deals?sort=popular&cursor={cursor}")) == {"cursor"}
    assert fields(await town.shopper().get(f"/v1/me/groups?cursor={cursor}")) == {"cursor"}


async def test_wrong_references_name_their_field(town: Town) -> None:
    """A foreign variant, a missing one and a foreign invite are 422, each its own type, and nobody is in after."""
    several = [{"title": "red", "stock": 5}, {"title": "blue", "stock": 5}]
    group = await town.open_group()
    deal = await town.live_deal(variants=several, stock=...)
    leader, shopper = town.shopper(), town.shopper()
    opened = f"/v1/deals/{deal['id']}/groups"
    problem(await leader.post(opened), 422, "variant-required")
    foreign = problem(await leader.post(opened, {"variant_id": str(uuid4())}), 422, "variant-not-found")
    assert foreign["errors"][0]["field"] == "variant_id"
    other = (await leader.post(opened, {"variant_id": deal["variants"][1]["id"]})).json()
    invite = (await leader.post(f"/v1/groups/{other['id']}/invites")).json()
    path = f"/v1/groups/{group['id']}"
    for code in (invite["code"], "q3V9cH2kTz0aWm7B"):
        refused = problem(await shopper.post(f"{path}/participants", {"invite_code": code}), 422, "invite-not-usable")
        assert refused["errors"][0]["field"] == "invite_code"
    assert (await town.nobody.get(path)).json()["participants"] == 1


async def test_a_channel_that_cannot_be_kept_is_named(town: Town) -> None:
    """An invite's channel is short, clean text."""
    group = await town.open_group()
    for channel in ("", " ", "x" * 33, "a\0b", "\ud800"):
        body = json.dumps({"channel": channel})
        answer = await town.shopper().ask("POST", f"/v1/groups/{group['id']}/invites", content=body)
        assert fields(answer) == {"channel"}, channel


WRONG_PREVIEWS: list[tuple[dict[str, Any], str]] = [
    (tiers((2, 1_300)), "tiers[0].unit_price"),
    ({"group_size_max": 1}, "group_size_max"),
    ({"currency": "EURO"}, "currency"),
    ({"quantity": 0}, "quantity"),
    ({"quantity": HUGE}, "quantity"),
    ({"title": "tea"}, "title"),
]


async def test_a_preview_is_checked_as_a_deal_is(town: Town) -> None:
    """The editor hears of the same mistakes before the deal is written."""
    body = {name: deal_body()[name] for name in ("currency", "solo_price", "tiers", "group_size_max")}
    for changes, field in WRONG_PREVIEWS:
        assert field in fields(await town.nobody.post("/v1/price-schedules/preview", body | changes)), changes

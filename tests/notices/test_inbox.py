"""The inbox over HTTP, and the choices people make, as any app has them."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.profile import KindsBody
from domain.notices.kinds import Kind
from infra.notices.outbox import read_outbox
from infra.notices.telling import tell_chunk
from tests.api.conftest import app, client, town
from tests.api.people import Town, fields
from tests.identity.members import Member, signed_in, signed_in_as_guest

__all__ = ["app", "client", "town"]

PAIR = {"group_size_max": 2, "tiers": [{"participants": 2, "unit_price": 900}]}


async def pair(town: Town, leader: Member, other: Member) -> dict[str, Any]:
    """A group of two that has succeeded."""
    group = await town.open_group(leader, **PAIR)
    assert (await other.post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    return group


async def tell(engine: AsyncEngine) -> None:
    """What the duty does."""
    while await read_outbox(engine) or await tell_chunk(engine):
        pass


async def test_notices_are_paged_counted_and_read(town: Town, engine: AsyncEngine) -> None:
    """The newest first; up to one all older are read, or just those named; others' stay as they are."""
    mei, ben = await signed_in(town), await signed_in(town)
    groups = [await pair(town, mei, ben) for _ in range(3)]
    await tell(engine)
    first = (await mei.get("/v1/me/notices?limit=2")).json()
    rest = (await mei.get(f"/v1/me/notices?limit=2&cursor={first['next_cursor']}")).json()
    items = [*first["items"], *rest["items"]]
    assert {item["group_id"] for item in items} == {group["id"] for group in groups}
    assert (len(first["items"]), rest["next_cursor"], first["unread"]) == (2, None, 3)
    assert items == sorted(items, key=lambda item: (item["at"], item["id"]), reverse=True)
    assert items[0]["text"] == "Your group succeeded! You pay $9.00 instead of $12.00."
    assert (items[0]["title"], items[0]["pays"], items[0]["currency"]) == ("Jasmine tea, 250 g", 900, "USD")
    assert (await mei.post("/v1/me/notices/read", {"up_to": items[1]["id"]})).json() == {"unread": 1}
    assert (await ben.post("/v1/me/notices/read", {"ids": [item["id"] for item in items]})).json() == {"unread": 3}
    assert [item["is_read"] for item in (await mei.get("/v1/me/notices")).json()["items"]] == [False, True, True]
    assert (await mei.post("/v1/me/notices/read", {"ids": [items[0]["id"]]})).json() == {"unread": 0}
    assert (await mei.get("/v1/me/notices/unread")).json() == {"unread": 0}


@pytest.mark.parametrize("says_when", [True, False])
async def test_what_changes_after_it_was_shown_stays_unread(town: Town, engine: AsyncEngine, says_when: bool) -> None:  # noqa: FBT001 - both ways
    """A notice brought up to date meanwhile, and what came before that: who says what was shown has not read it."""
    mei, ben = await signed_in(town), await signed_in(town)
    groups = [await pair(town, mei, ben) for _ in range(3)]
    await tell(engine)
    (shown,) = (await mei.get("/v1/me/notices?limit=1")).json()["items"]
    old = next(group["id"] for group in groups if group["id"] != shown["group_id"])
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE notices SET at = now() + (CASE WHEN id = :id THEN 2 ELSE 1 END) * interval '1 second'"
                " WHERE account_id = :mei AND group_id <> :old"
            ),
            {"id": shown["id"], "mei": mei.subject, "old": old},
        )
    said = {"up_to": shown["id"], **({"shown_at": shown["at"]} if says_when else {})}
    assert (await mei.post("/v1/me/notices/read", said)).json() == {"unread": 2 if says_when else 0}


async def test_notices_are_in_the_language_of_now(town: Town, engine: AsyncEngine) -> None:
    """Whoever changes it reads the same notices in it."""
    mei, ben = await signed_in(town), await signed_in(town)
    await pair(town, mei, ben)
    await tell(engine)
    await mei.patch("/v1/me", {"locale": "es-MX"})
    (item,) = (await mei.get("/v1/me/notices")).json()["items"]
    assert item["text"].replace("\u00a0", " ") == "¡Tu grupo lo ha conseguido! Pagas 9,00 US$ en vez de 12,00 US$."


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"up_to"}),
        ({"up_to": "x"}, {"up_to"}),
        ({"ids": []}, {"ids"}),
        ({"ids": ["01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"] * 201}, {"ids"}),
        ({"up_to": "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10", "shown_at": "2026-05-01T12:00:00"}, {"shown_at"}),
        ({"up_to": "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10", "shown_at": "0001-01-01T00:00:00+14:00"}, {"shown_at"}),
        ({"ids": ["01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"], "up_to": "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"}, {"ids"}),
    ],
)
async def test_what_is_read_must_be_said(town: Town, body: object, wrong: set[str]) -> None:
    """Either up to one, or some; a wrong field is named."""
    assert fields(await town.shopper().post("/v1/me/notices/read", body)) == wrong


async def test_what_a_guest_was_told_is_the_persons(town: Town, engine: AsyncEngine) -> None:
    """Before the guest was known and after: one inbox, read as one; two places in one group pay twice, and say so."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    await pair(town, guest, mei)
    await tell(engine)
    later = await town.open_group(guest, **PAIR)
    both = await signed_in(town, mei.phone, guest)
    assert (await (await signed_in(town)).post(f"/v1/groups/{later['id']}/participants")).status_code == 201
    await tell(engine)
    page = (await both.get("/v1/me/notices?limit=2")).json()
    assert page["unread"] == 3
    rest = (await both.get(f"/v1/me/notices?limit=2&cursor={page['next_cursor']}")).json()
    assert [item["kind"] for item in page["items"] + rest["items"]] == ["succeeded"] * 3
    assert (await both.post("/v1/me/notices/read", {"up_to": page["items"][0]["id"]})).json() == {"unread": 0}


async def test_nothing_is_left_of_whom_is_no_more(town: Town, engine: AsyncEngine) -> None:
    """Deletion takes notices and what is still to be sent; the export told of both."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    assert (await guest.post("/v1/me/devices", {"platform": "ios", "push_token": "a" * 32})).status_code == 201
    group = await town.open_group(guest, tiers=[{"participants": 5, "unit_price": 900}])
    assert (await mei.post(f"/v1/groups/{group['id']}/cancel")).status_code == 403
    assert (await town.merchant.post(f"/v1/groups/{group['id']}/cancel")).status_code == 200
    await tell(engine)
    export = (await guest.get("/v1/me/export")).json()
    assert [row["kind"] for row in export["notices"]] == ["cancelled"]
    assert [row["channel"] for row in export["deliveries"]] == ["push"]
    assert (await guest.delete("/v1/me")).status_code == 204
    async with engine.connect() as connection:
        for table in ("notices", "deliveries"):
            assert (await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one() == 0


async def test_choices_are_made_one_by_one(town: Town) -> None:
    """What is not named stays; every kind is shown with what holds for it; null ends quiet hours."""
    mei = await signed_in(town)
    quiet = {"begin": "22:30", "end": "07:00", "time_zone": "Asia/Shanghai"}
    await mei.patch("/v1/me", {"notifications": {"kinds": {"joined": {"push": False}}, "quiet_hours": quiet}})
    await mei.patch("/v1/me", {"notifications": {"kinds": {"joined": {"email": True}, "failed": {"email": False}}}})
    said = (await mei.patch("/v1/me", {"notifications": {"price_dropped": False}})).json()["notifications"]
    assert said["quiet_hours"] == quiet
    assert said["kinds"]["joined"] == {"push": False, "email": True}
    assert said["kinds"]["failed"] == {"push": True, "email": False}
    assert said["kinds"]["price_dropped"] == {"push": False, "email": False}
    assert said["kinds"]["succeeded"] == {"push": True, "email": True}
    said = (await mei.patch("/v1/me", {"notifications": {"quiet_hours": None}})).json()["notifications"]
    assert said["quiet_hours"] is None
    assert said["kinds"]["joined"] == {"push": False, "email": True}


def test_every_kind_can_be_chosen() -> None:
    """A kind that is added is one that people can switch off."""
    assert set(KindsBody.__struct_fields__) == set(Kind)


@pytest.mark.parametrize(
    ("choice", "wrong"),
    [
        ({"kinds": {"weather": {"push": True}}}, "notifications.kinds"),
        ({"kinds": {"joined": {"fax": True}}}, "notifications.kinds"),
        ({"kinds": {"joined": {"push": "yes"}}}, "notifications.kinds"),
        ({"quiet_hours": {"begin": "22:00", "end": "08:00"}}, "notifications.quiet_hours"),
        ({"quiet_hours": {"begin": "24:00", "end": "08:00", "time_zone": "UTC"}}, "notifications.quiet_hours.begin"),
        ({"quiet_hours": {"begin": "22:00", "end": "8:00", "time_zone": "UTC"}}, "notifications.quiet_hours.end"),
        ({"quiet_hours": {"begin": "22:00\n", "end": "08:00", "time_zone": "UTC"}}, "notifications.quiet_hours.begin"),
        ({"quiet_hours": {"begin": "22:00", "end": "22:00", "time_zone": "UTC"}}, "notifications.quiet_hours.end"),
        (
            {"quiet_hours": {"begin": "22:00", "end": "08:00", "time_zone": "../../etc/passwd"}},
            "notifications.quiet_hours.time_zone",
        ),
    ],
)
async def test_wrong_choices_are_named_and_change_nothing(town: Town, choice: object, wrong: str) -> None:
    """No kind that is not there, no time that no clock shows, no zone that is none."""
    mei = await signed_in(town)
    before = (await mei.get("/v1/me")).json()
    (named,) = fields(await mei.patch("/v1/me", {"notifications": choice}))
    assert named.startswith(wrong)
    assert (await mei.get("/v1/me")).json() == before

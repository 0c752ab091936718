"""API keys: shown once, good for their scopes alone, and for nothing once they are revoked."""

import hashlib
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from domain.identity.merchant import KEYS_MAX
from domain.identity.permissions import KEYS_MAY, Permission, StaffRole, Standing
from infra.identity.key_verifier import REMEMBERED_S
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Person, Town, deal_body, fields, problem
from tests.identity.houses import House, approved, decide
from tests.waiting import eventually

UNKNOWN = "tuan_sk_0123456789ab_" + "A" * 43


async def test_a_key_is_shown_once_and_kept_as_a_hash(house: House, engine: AsyncEngine) -> None:
    """Afterwards there is its prefix, in the list as in the table; nobody can get at the key again."""
    made = await house.key("orders:read", "deals:write", "orders:read")
    key: str = made["key"]
    assert key.startswith(made["prefix"] + "_")
    assert made["scopes"] == ["deals:write", "orders:read"]
    listed = await house.owner.get(f"{house.path}/api-keys")
    assert [each["prefix"] for each in listed.json()["items"]] == [made["prefix"]]
    assert key not in listed.text
    async with engine.connect() as connection:
        [row] = (await connection.execute(text("SELECT * FROM api_keys"))).mappings()
    assert row["key_hash"] == hashlib.sha256(key.encode()).digest()
    assert key[-43:] not in str(dict(row))


async def test_a_key_does_what_its_scopes_say_and_nothing_else(house: House, town: Town) -> None:
    """For its own merchant; whatever a person does is not a key's, making keys and staff least of all."""
    system = _system(town, await house.key("orders:read"))
    assert (await system.get("/v1/orders")).status_code == 200
    problem(await system.post("/v1/deals", deal_body()), 403, "permission-missing")
    problem(await system.get(house.path + "/api-keys"), 403, "permission-missing")
    problem(await system.get("/v1/me"), 403, "person-needed")
    problem(await system.get("/v1/me/groups"), 403, "role-missing")
    other = await approved(house.app, town)
    problem(await system.get("/v1/orders", headers={"tuan-merchant": str(other.id)}), 403, "not-staff")
    everything = _system(town, await house.key(*sorted(KEYS_MAY)))
    deal = await everything.post("/v1/deals", deal_body())
    assert (deal.status_code, deal.json()["merchant_id"]) == (201, str(house.id))
    assert (await everything.get(house.path)).json()["file"]["standing"] == "approved"
    invite = {"phone": "+447911123456", "role": "owner"}
    problem(await everything.post(f"{house.path}/staff-invites", invite), 403, "permission-missing")


@pytest.mark.parametrize("scope", [*sorted(set(Permission) - KEYS_MAY), "all", ""])
async def test_no_key_can_be_given_what_makes_keys_or_staff(house: House, scope: str) -> None:
    """Such a scope is refused by name, and there is no key."""
    asked = {"name": "shop", "scopes": ["orders:read", scope]}
    assert fields(await house.owner.post(f"{house.path}/api-keys", asked)) == {"scopes[1]"}
    assert (await house.owner.get(f"{house.path}/api-keys")).json()["items"] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:read"] * 9}, "scopes"),
        ({"expires_in_s": 59}, "expires_in_s"),
        ({"expires_in_s": 10**18}, "expires_in_s"),
        ({"key": "mine"}, "key"),
    ],
)
async def test_a_wrong_wish_names_what_is_wrong(house: House, wrong: dict[str, Any], field: str) -> None:
    """And no key is made."""
    asked = {"name": "shop", "scopes": ["orders:read"], **wrong}
    assert fields(await house.owner.post(f"{house.path}/api-keys", asked)) == {field}
    assert (await house.owner.get(f"{house.path}/api-keys")).json()["items"] == []


async def test_a_revoked_key_is_refused_at_once_and_soon_in_every_process(
    house: House, town: Town, settings: Settings
) -> None:
    """Though it was remembered as good a moment ago; others of the merchant's work on."""
    made, kept = await house.key("orders:read"), await house.key("orders:read")
    async with connected(create_app(settings)) as elsewhere:
        system, twin = _system(town, made), Person(elsewhere, UUID(made["id"]), made["key"])
        assert [(await each.get("/v1/orders")).status_code for each in (system, twin)] == [200, 200]
        path = f"{house.path}/api-keys/{made['id']}"
        assert (await house.owner.ask("DELETE", path)).status_code == 204
        problem(await system.get("/v1/orders"), 401, "not-authenticated")
        await eventually(lambda: _is_refused(twin), "the other process refuses it", limit_s=REMEMBERED_S + 0.5)
    assert (await _system(town, kept).get("/v1/orders")).status_code == 200
    problem(await house.owner.ask("DELETE", path), 404, "api-key-not-found")
    items = (await house.owner.get(f"{house.path}/api-keys")).json()["items"]
    assert [(each["id"], each["revoked_at"] is None) for each in items] == [(kept["id"], True), (made["id"], False)]


async def test_a_key_is_refused_once_it_has_expired(house: House, town: Town, engine: AsyncEngine) -> None:
    """By the database's clock, and said so."""
    made = await house.key("orders:read", expires_in_s=60)
    system = _system(town, made)
    assert (await system.get("/v1/orders")).status_code == 200
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE api_keys SET expires_at = clock_timestamp()"))
    await eventually(lambda: _is_refused(system), "it is refused", limit_s=REMEMBERED_S + 0.5)
    assert 'error_description="expired"' in (await system.get("/v1/orders")).headers["www-authenticate"]


@pytest.mark.parametrize(
    "wrong",
    [
        "tuan_sk_",
        "tuan_sk_0123456789ab",
        "tuan_sk_0123456789AB_" + "A" * 43,
        "tuan_sk_0123456789ab_" + "A" * 42,
        UNKNOWN + "A",
        UNKNOWN + "\n",
        "tuan_sk_' OR 1=1 --_" + "A" * 43,
        UNKNOWN,
        "{prefix}_" + "A" * 43,
        "{key}A",
    ],
)
async def test_what_is_no_key_proves_nothing(house: House, town: Town, wrong: str) -> None:
    """Malformed, unknown, or with a good key's prefix: 401 with what to send, never a 500."""
    made = await house.key("orders:read")
    forged = Person(town.client, house.id, wrong.format(**made))
    refused = await forged.get("/v1/orders", headers={"authorization": f"Bearer {forged.token!r}".replace("'", "")})
    problem(refused, 401, "not-authenticated")
    assert refused.headers["www-authenticate"].startswith('Bearer realm="tuan", error="invalid_token"')


async def test_a_suspension_reaches_keys_at_once(house: House, town: Town) -> None:
    """What a key may do hangs on where its merchant stands now, not when it was looked up."""
    system = _system(town, await house.key("deals:write", "orders:read"))
    assert (await system.post("/v1/deals", deal_body())).status_code == 201
    await decide(house.app, house.id, Standing.SUSPENDED)
    problem(await system.post("/v1/deals", deal_body()), 403, "merchant-not-approved")
    assert (await system.get("/v1/orders")).status_code == 200
    await decide(house.app, house.id, Standing.APPROVED)
    assert (await system.post("/v1/deals", deal_body())).status_code == 201


async def test_keys_outlive_who_made_them(house: House, town: Town) -> None:
    """They are the merchant's: a removed owner's keys work on until somebody revokes them."""
    other = await house.hired(StaffRole.OWNER)
    answer = await other.post(f"{house.path}/api-keys", {"name": "shop", "scopes": ["orders:read"]})
    assert (await house.owner.ask("DELETE", f"{house.path}/staff/{other.subject}")).status_code == 204
    system = _system(town, answer.json())
    assert (await system.get("/v1/orders")).status_code == 200
    [listed] = (await house.owner.get(f"{house.path}/api-keys")).json()["items"]
    assert listed["created_by"] == str(other.subject)


async def test_a_merchant_has_so_many_keys(house: House) -> None:
    """Revoking one makes room."""
    made = [await house.key("orders:read") for _ in range(KEYS_MAX)]
    asked = {"name": "shop", "scopes": ["orders:read"]}
    problem(await house.owner.post(f"{house.path}/api-keys", asked), 409, "too-many-api-keys")
    assert (await house.owner.ask("DELETE", f"{house.path}/api-keys/{made[0]['id']}")).status_code == 204
    await house.key("orders:read")


def _system(town: Town, made: dict[str, Any]) -> Person:
    return Person(town.client, UUID(made["id"]), made["key"])


async def _is_refused(person: Person) -> bool:
    return (await person.get("/v1/orders")).status_code == 401

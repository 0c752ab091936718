"""Who may call what: every operation of the OpenAPI document, tried by everybody."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.contract import examples
from api.contract.document import build_document
from tests.api.cast import Belongings, give_belongings, invite_to_staff, make_cast
from tests.api.expected_access import TABLE, Row
from tests.api.people import Person, Town, deal_body
from tests.money_shop import MoneyShop


@dataclass
class Scene:
    """Everybody, a deal of the merchant's, a group of the shopper's, and what else an address may name."""

    cast: dict[str, Person]
    deal: dict[str, Any]
    group: dict[str, Any]
    invite: dict[str, Any]
    order_id: UUID | None
    staff_invite_id: UUID
    belongings: Belongings


SHIPPED = {"carrier": "DHL", "tracking_number": "1"}
QUERIES = {"GET /v1/me/statement": "?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z"}
BODIES: dict[str, object] = {
    "PATCH /v1/me": {"locale": "en"},
    "POST /v1/me/addresses": {"address": examples.ADDRESS},
    "PATCH /v1/me/addresses/{address_id}": {"label": "Home"},
    "POST /v1/me/devices": {"platform": "ios", "push_token": "740f4707bebcf74f"},
    "POST /v1/me/notices/read": {"ids": ["01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"]},
    "POST /v1/deals": deal_body(),
    "PATCH /v1/deals/{deal_id}": {"title": "Green tea"},
    "POST /v1/orders/shipments": {"shipments": [{"order_id": str(uuid4()), **SHIPPED}]},
    "POST /v1/orders/{order_id}/ship": SHIPPED,
    "POST /v1/orders/{order_id}/cancel": {"reason": "Sold out."},
    "POST /v1/orders/{order_id}/refunds": {"reason": "It came broken."},
    "POST /sandbox/payments/{reference}/step": {"client_secret": "guessed"},
    "POST /v1/sign-in/codes": {"phone": "+447911123456"},
    "POST /v1/sign-in/code": {"phone": "+447911123456", "code": "123456"},
    "POST /v1/sign-in/id-token": {"provider": "apple", "id_token": "e30.e30.AA", "nonce": "0123456789abcdef"},
    "POST /v1/sign-in/wechat": {"code": "guessed"},
    "POST /v1/me/identities": {"provider": "phone", "phone": "+447911123456", "code": "123456"},
    "POST /v1/sign-in/refresh": {"refresh_token": "guessed"},
    "POST /v1/admin/merchants/{merchant_id}/refuse": {"reason": "No such company."},
    "POST /v1/admin/merchants/{merchant_id}/suspend": {"reason": "Counterfeit goods."},
    "POST /v1/admin/groups/{group_id}/cancel": {"reason": "Counterfeit goods."},
    "POST /v1/merchants": {"name": "Leaf & Co", "contact": "sales@leaf.example"},
    "PATCH /v1/merchants/{merchant_id}": {"about": "Tea since 1901."},
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": {"role": "analyst"},
    "POST /v1/merchants/{merchant_id}/staff-invites": {"phone": "+447911123456", "role": "editor"},
    "POST /v1/merchants/{merchant_id}/api-keys": {"name": "shop", "scopes": ["orders:read"]},
    "POST /v1/price-schedules/preview": {
        name: deal_body()[name] for name in ("currency", "solo_price", "tiers", "group_size_max")
    },
}
DOCUMENTED = [f"{method.upper()} {path}" for path, methods in build_document()["paths"].items() for method in methods]
OF_ONE_SCENE = [each for each in DOCUMENTED if each.startswith("GET ") and not each.endswith(("/live", "{order_id}"))]
"""Looking changes nothing, and these look at what every scene has."""


def test_every_operation_has_a_row() -> None:
    """A route added without saying who may call it fails here."""
    assert set(DOCUMENTED) == set(TABLE)


@pytest.mark.parametrize("operation", [each for each in DOCUMENTED if each not in OF_ONE_SCENE])
async def test_everybody_gets_what_the_table_says(town: Town, shop: MoneyShop, operation: str) -> None:
    """Staff touch only their merchant's things, each role its own; an expired token is nobody's."""
    scene, got = await _scene(town, shop, operation), []
    for name in Row._fields:
        got.append(await _status(scene, name, operation))
        if not operation.startswith("GET ") and got[-1] < 300:  # the next caller finds everything as it was before
            scene = await _scene(town, shop, operation)
    assert Row(*got)._asdict() == TABLE[operation]._asdict()


async def test_everybody_sees_what_the_table_says(town: Town, shop: MoneyShop) -> None:
    """The same for all that only looks, in one scene; what differs is listed with its operation."""
    scene = await _scene(town, shop, OF_ONE_SCENE[0])
    got = {each: Row(*[await _status(scene, name, each) for name in Row._fields]) for each in OF_ONE_SCENE}
    assert {each: row._asdict() for each, row in got.items() if row != TABLE[each]} == {}


async def _status(scene: Scene, name: str, operation: str) -> int:
    method, template = operation.split(" ")
    path = _path(template, scene) + QUERIES.get(operation, "")
    status: int = (await scene.cast[name].ask(method, path, BODIES.get(operation))).status_code
    return status


async def test_a_draft_is_seen_by_its_merchant_alone(town: Town) -> None:
    """Others get 404 for a draft, read or browsed, as if it were not there."""
    path = f"/v1/deals/{(await town.draft())['id']}"
    others = (town.nobody, town.shopper(), town.person("merchant"))
    for address in (path, f"{path}/groups"):
        assert [(await caller.get(address)).status_code for caller in others] == [404, 404, 404]
        assert (await town.merchant.get(address)).status_code == 200
    assert (await town.shopper().post(f"{path}/groups")).status_code == 404
    drafts = f"/v1/deals?status=draft&merchant_id={town.merchant.subject}"
    assert [(await caller.get(drafts)).json()["items"] for caller in others] == [[], [], []]
    assert len((await town.merchant.get("/v1/deals?status=draft")).json()["items"]) == 1


async def test_somebody_with_both_roles_may_do_both(town: Town) -> None:
    """Roles of one token add up."""
    both = town.person("shopper", "merchant")
    deal = (await both.post("/v1/deals", deal_body())).json()
    assert (await both.post(f"/v1/deals/{deal['id']}/publish")).status_code == 200
    assert (await both.post(f"/v1/deals/{deal['id']}/groups")).status_code == 201
    assert (await town.person("gardener").get("/v1/me/groups")).status_code == 403


def _path(template: str, scene: Scene) -> str:
    return template.format(
        deal_id=scene.deal["id"],
        group_id=scene.group["id"],
        code=scene.invite["code"],
        order_id=scene.order_id,
        gateway="sandbox",
        provider="wechat",
        session_id=uuid4(),
        address_id=scene.belongings.address_id,
        device_id=scene.belongings.device_id,
        merchant_id=scene.cast["operator"].subject,
        account_id=scene.cast["editor"].subject,
        key_id=scene.cast["key"].subject,
        invite_id=scene.staff_invite_id,
        reference=f"sandbox_{uuid4().hex}",
        fingerprint="0",
        name="page.css",
        key="en-0.jpg",
        token="AAAA",
    )


async def _scene(town: Town, shop: MoneyShop, operation: str) -> Scene:
    """New people, and a state in which the operation succeeds for whoever may call it."""
    town.merchant = town.person("merchant")
    cast = await make_cast(town, shop.engine)
    shopper = cast["shopper"]
    fills = operation.endswith("/live")  # a stream ends where the group is closed
    tiers = [{"participants": 3, "unit_price": 900}]
    group = await town.open_group(shopper, **({} if fills else {"tiers": tiers}))
    invite = (await shopper.post(f"/v1/groups/{group['id']}/invites")).json()
    if fills:
        assert (await town.merchant.post(f"/v1/groups/{group['id']}/cancel")).status_code == 200
    deal = {"id": group["deal_id"]}
    if operation.startswith("PATCH") or operation.endswith("/publish"):
        deal = await town.draft()
    if operation.endswith("/resume"):
        await town.merchant.post(f"/v1/deals/{deal['id']}/pause")
    if operation.endswith("/refuse"):
        await shop.make("UPDATE merchants SET status = 'applied' WHERE id = :id", id=town.merchant.subject)
    staff_invite_id = await invite_to_staff(shop.engine, town.merchant.subject, shopper.subject)
    order_id = await _order(town, shop, shopper, operation)
    belongings = await give_belongings(shop.engine, shopper.subject)
    return Scene(cast, deal, group, invite, order_id, staff_invite_id, belongings)


async def _order(town: Town, shop: MoneyShop, shopper: Person, operation: str) -> UUID | None:
    """An order of the shopper's that the operation can be done with."""
    if "{order_id}" not in operation:
        return None
    shop = replace(shop, merchant_id=town.merchant.subject)
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), shopper.subject, None))[0]
    if operation.endswith("/deliver"):
        assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/ship", SHIPPED)).status_code == 200
    return bought.order_id

"""Who may call what: every operation of the OpenAPI document, tried by everybody."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from api.contract import examples
from api.contract.document import build_document
from tests.api.cast import Belongings, give_belongings, invite_to_staff, make_cast
from tests.api.people import Person, Town, deal_body
from tests.money_shop import MoneyShop


class Row(NamedTuple):
    """The status each caller gets."""

    anonymous: int
    expired: int
    guest: int
    shopper: int
    other_shopper: int
    owner: int
    editor: int
    fulfilment: int
    analyst: int
    other_owner: int
    key: int  # an API key of the merchant with every scope there is
    scopeless_key: int  # one that has not the scope
    operator: int  # of the merchant, with a token from the command line that is of no account
    administrator: int


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


def everybody(status: int) -> Row:
    """Whoever asks."""
    return Row(*[status] * len(Row._fields))


def signed_in(status: int) -> Row:
    """Whoever has a good token, whatever it is of."""
    return everybody(status)._replace(anonymous=401, expired=401)


def people(status: int) -> Row:
    """Whoever signed in, for what is their own; no API keys."""
    return signed_in(status)._replace(key=403, scopeless_key=403)


def shoppers(status: int) -> Row:
    """Whoever signed in, staff too; API keys and the operator's token are no shopper's."""
    return people(status)._replace(operator=403)


def staff(*others: str, status: int = 200, elsewhere: int = 404) -> Row:
    """Owners, staff of these other roles and keys; another merchant's owner finds nothing, or does it `elsewhere`."""
    able = dict.fromkeys(("owner", "operator", "key", *others), status)
    return signed_in(403)._replace(other_owner=elsewhere, **able)


def owners(status: int = 200) -> Row:
    """Owners alone: no API key makes keys or staff."""
    return staff(status=status)._replace(key=403)


ANYONE = everybody(200)._replace(expired=401)
PROBE = everybody(200)
ADMINISTRATORS = signed_in(403)._replace(administrator=200)
SIGNED_IN = people(200)
SIGNED_OUT = people(204)
SHOPPERS = shoppers(201)

TABLE = {
    "POST /v1/deals": staff("editor", status=201, elsewhere=201),
    "GET /v1/deals": ANYONE,
    "GET /v1/deals/{deal_id}": ANYONE,
    "PATCH /v1/deals/{deal_id}": staff("editor"),
    "POST /v1/deals/{deal_id}/publish": staff("editor"),
    "POST /v1/deals/{deal_id}/pause": staff("editor"),
    "POST /v1/deals/{deal_id}/resume": staff("editor"),
    "POST /v1/deals/{deal_id}/end": staff("editor"),
    "POST /v1/price-schedules/preview": ANYONE,
    "POST /v1/deals/{deal_id}/groups": SHOPPERS,
    "GET /v1/deals/{deal_id}/groups": ANYONE,
    "GET /v1/groups/{group_id}": ANYONE,
    "GET /v1/groups/{group_id}/live": ANYONE,
    "POST /v1/groups/{group_id}/participants": SHOPPERS._replace(shopper=200),  # is in already
    "DELETE /v1/groups/{group_id}/participants/me": shoppers(204),
    "GET /v1/groups/{group_id}/participants": ANYONE,
    "POST /v1/groups/{group_id}/cancel": staff("editor"),
    "GET /v1/me/groups": shoppers(200),
    "POST /v1/groups/{group_id}/invites": SHOPPERS._replace(shopper=200),  # has one already
    "GET /v1/invites/{code}": ANYONE,
    "GET /v1/groups/{group_id}/explain": shoppers(404)._replace(shopper=200),
    "POST /v1/deals/{deal_id}/orders": SHOPPERS,
    "GET /v1/me/orders": shoppers(200),
    "GET /v1/orders": staff("editor", "fulfilment", "analyst", elsewhere=200),
    "GET /v1/orders/{order_id}": signed_in(404)._replace(
        shopper=200, owner=200, editor=200, fulfilment=200, analyst=200, key=200, operator=200
    ),
    "POST /v1/orders/shipments": staff("fulfilment", elsewhere=200),
    "POST /v1/orders/{order_id}/ship": staff("fulfilment"),
    "POST /v1/orders/{order_id}/deliver": signed_in(404)._replace(
        shopper=200, owner=200, fulfilment=200, key=200, operator=200
    ),
    "POST /v1/orders/{order_id}/cancel": staff("fulfilment"),
    "POST /v1/orders/{order_id}/refunds": staff("fulfilment", status=201),
    "POST /v1/orders/{order_id}/payment": shoppers(404)._replace(shopper=200),
    "GET /v1/me/statement": staff("analyst", elsewhere=200),
    "POST /v1/sign-in/codes": everybody(202),
    "POST /v1/sign-in/code": everybody(403)._replace(expired=401),  # whoever has the code; here nobody has
    "POST /v1/sign-in/id-token": everybody(404)._replace(expired=401),  # no provider is offered here
    "POST /v1/sign-in/wechat": everybody(404)._replace(expired=401),
    "POST /v1/sign-in/guest": everybody(201),
    "POST /v1/sign-in/refresh": everybody(403),  # whoever has the refresh token; here nobody has
    "POST /v1/sign-out": SIGNED_OUT,
    "GET /v1/me": SIGNED_IN._replace(operator=404),
    "PATCH /v1/me": SIGNED_IN._replace(operator=404),
    "DELETE /v1/me": people(403)._replace(guest=204, operator=404),  # these tokens are of no fresh session
    "GET /v1/me/export": SIGNED_IN._replace(operator=404),
    "GET /v1/me/addresses": SIGNED_IN,
    "POST /v1/me/addresses": people(201)._replace(operator=404),
    "PATCH /v1/me/addresses/{address_id}": people(404)._replace(shopper=200),
    "DELETE /v1/me/addresses/{address_id}": people(404)._replace(shopper=204),
    "GET /v1/me/devices": SIGNED_IN,
    "POST /v1/me/devices": people(201)._replace(operator=404),
    "DELETE /v1/me/devices/{device_id}": people(404)._replace(shopper=204),
    "POST /v1/me/identities": people(403),  # whoever has the code; here nobody has
    "DELETE /v1/me/identities/{provider}": people(404),  # nobody here signed in with it
    "GET /v1/me/sessions": SIGNED_IN,
    "DELETE /v1/me/sessions": SIGNED_OUT,
    "DELETE /v1/me/sessions/{session_id}": people(404),
    "GET /v1/me/staff-invites": SIGNED_IN,
    "POST /v1/staff-invites/{invite_id}/accept": people(404)._replace(shopper=200),  # who was invited
    "POST /v1/merchants": people(201)._replace(guest=403, operator=404),
    "GET /v1/merchants/{merchant_id}": ANYONE,
    "PATCH /v1/merchants/{merchant_id}": owners(),
    "GET /v1/merchants/{merchant_id}/staff": staff("editor", "fulfilment", "analyst"),
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": owners(),
    "DELETE /v1/merchants/{merchant_id}/staff/{account_id}": owners(204),
    "DELETE /v1/merchants/{merchant_id}/staff/me": staff("editor", "fulfilment", "analyst", status=204)._replace(
        owner=409, key=404, operator=404
    ),
    "POST /v1/merchants/{merchant_id}/staff-invites": owners(201),
    "GET /v1/merchants/{merchant_id}/staff-invites": owners(),
    "DELETE /v1/merchants/{merchant_id}/staff-invites/{invite_id}": owners(204),
    "POST /v1/merchants/{merchant_id}/api-keys": owners(201),
    "GET /v1/merchants/{merchant_id}/api-keys": owners(),
    "DELETE /v1/merchants/{merchant_id}/api-keys/{key_id}": owners(204),
    "GET /v1/merchants/{merchant_id}/audit": staff("analyst", "scopeless_key"),  # the one scope that key has
    "GET /v1/admin/merchants": ADMINISTRATORS,
    "POST /v1/admin/merchants/{merchant_id}/approve": ADMINISTRATORS,
    "POST /v1/admin/merchants/{merchant_id}/refuse": ADMINISTRATORS,
    "POST /v1/admin/merchants/{merchant_id}/suspend": ADMINISTRATORS,
    "POST /v1/admin/merchants/{merchant_id}/reinstate": ADMINISTRATORS,
    "GET /v1/admin/groups": ADMINISTRATORS,
    "POST /v1/admin/groups/{group_id}/cancel": ADMINISTRATORS,
    "GET /v1/admin/orders": ADMINISTRATORS,
    "GET /v1/admin/audit": ADMINISTRATORS,
    "GET /dev/inbox": PROBE,
    "POST /v1/webhooks/{gateway}": everybody(403),  # whoever signs as the gateway; here nobody does
    "GET /sandbox/payments/{reference}/step": everybody(409),  # whoever has the client secret; here nobody has
    "POST /sandbox/payments/{reference}/step": everybody(409),
    "GET /.well-known/jwks.json": PROBE,
    "GET /healthz": PROBE,
    "GET /readyz": PROBE,
}
SHIPPED = {"carrier": "DHL", "tracking_number": "1"}
QUERIES = {"GET /v1/me/statement": "?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z"}
BODIES: dict[str, object] = {
    "PATCH /v1/me": {"locale": "en"},
    "POST /v1/me/addresses": {"address": examples.ADDRESS},
    "PATCH /v1/me/addresses/{address_id}": {"label": "Home"},
    "POST /v1/me/devices": {"platform": "ios", "push_token": "740f4707bebcf74f"},
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


def test_every_operation_has_a_row() -> None:
    """A route added without saying who may call it fails here."""
    assert set(DOCUMENTED) == set(TABLE)


@pytest.mark.parametrize("operation", DOCUMENTED)
async def test_everybody_gets_what_the_table_says(town: Town, shop: MoneyShop, operation: str) -> None:
    """Staff touch only their merchant's things, each role its own; an expired token is nobody's."""
    method, template = operation.split(" ")
    scene, got = await _scene(town, shop, operation), []
    for name in Row._fields:
        path = _path(template, scene) + QUERIES.get(operation, "")
        got.append((await scene.cast[name].ask(method, path, BODIES.get(operation))).status_code)
        if method != "GET" and got[-1] < 300:  # done: the next caller finds everything as it was before
            scene = await _scene(town, shop, operation)
    assert Row(*got)._asdict() == TABLE[operation]._asdict()


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

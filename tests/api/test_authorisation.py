"""Who may call what: every operation of the OpenAPI document, tried by everybody."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from api.contract.document import build_document
from tests.api.people import Person, Town, deal_body
from tests.money_shop import MoneyShop, Purchase


class Row(NamedTuple):
    """The status each caller gets, tried in this order: who changes something comes last."""

    anonymous: int
    expired: int
    other_merchant: int
    other_shopper: int
    shopper: int
    its_merchant: int


@dataclass
class Scene:
    """A deal, a group with its leader, and what a request needs besides its address."""

    deal: dict[str, Any]
    group: dict[str, Any]
    shopper: Person
    invite: dict[str, Any]
    bodies: dict[str, object] = field(default_factory=dict)


ANYONE = Row(anonymous=200, expired=401, other_merchant=200, other_shopper=200, shopper=200, its_merchant=200)
PROBE = ANYONE._replace(expired=200)
ITS_MERCHANT = Row(anonymous=401, expired=401, other_merchant=404, other_shopper=403, shopper=403, its_merchant=200)
SHOPPERS = Row(anonymous=401, expired=401, other_merchant=403, other_shopper=201, shopper=201, its_merchant=403)
ITS_TWO = Row(anonymous=401, expired=401, other_merchant=404, other_shopper=404, shopper=200, its_merchant=200)


def everybody(status: int) -> Row:
    """Whoever asks."""
    return Row(*[status] * len(Row._fields))


SIGNED_IN = everybody(200)._replace(anonymous=401, expired=401)
SIGNED_OUT = everybody(204)._replace(anonymous=401, expired=401)

TABLE = {
    "POST /v1/deals": ITS_MERCHANT._replace(other_merchant=201, its_merchant=201),
    "GET /v1/deals": ANYONE,
    "GET /v1/deals/{deal_id}": ANYONE,
    "PATCH /v1/deals/{deal_id}": ITS_MERCHANT,
    "POST /v1/deals/{deal_id}/publish": ITS_MERCHANT,
    "POST /v1/deals/{deal_id}/pause": ITS_MERCHANT,
    "POST /v1/deals/{deal_id}/resume": ITS_MERCHANT,
    "POST /v1/deals/{deal_id}/end": ITS_MERCHANT,
    "POST /v1/price-schedules/preview": ANYONE,
    "POST /v1/deals/{deal_id}/groups": SHOPPERS,
    "GET /v1/deals/{deal_id}/groups": ANYONE,
    "GET /v1/groups/{group_id}": ANYONE,
    "GET /v1/groups/{group_id}/live": ANYONE,
    "POST /v1/groups/{group_id}/participants": SHOPPERS._replace(shopper=200),
    "DELETE /v1/groups/{group_id}/participants/me": SHOPPERS._replace(other_shopper=204, shopper=204),
    "GET /v1/groups/{group_id}/participants": ANYONE,
    "POST /v1/groups/{group_id}/cancel": ITS_MERCHANT,
    "GET /v1/me/groups": SHOPPERS._replace(other_shopper=200, shopper=200),
    "POST /v1/groups/{group_id}/invites": SHOPPERS,
    "GET /v1/invites/{code}": ANYONE,
    "GET /v1/groups/{group_id}/explain": SHOPPERS._replace(other_shopper=404, shopper=200),
    "POST /v1/deals/{deal_id}/orders": SHOPPERS,
    "GET /v1/me/orders": SHOPPERS._replace(other_shopper=200, shopper=200),
    "GET /v1/orders": ITS_MERCHANT._replace(other_merchant=200),
    "GET /v1/orders/{order_id}": ITS_TWO,
    "POST /v1/orders/shipments": ITS_MERCHANT._replace(other_merchant=200),
    "POST /v1/orders/{order_id}/ship": ITS_MERCHANT,
    "POST /v1/orders/{order_id}/deliver": ITS_TWO,
    "POST /v1/orders/{order_id}/cancel": ITS_MERCHANT,
    "POST /v1/orders/{order_id}/refunds": ITS_MERCHANT._replace(its_merchant=201),
    "POST /v1/orders/{order_id}/payment": SHOPPERS._replace(other_shopper=404, shopper=200),
    "GET /v1/me/statement": ITS_MERCHANT._replace(other_merchant=200),
    "POST /v1/sign-in/codes": everybody(202),
    "POST /v1/sign-in/code": everybody(403)._replace(expired=401),  # whoever has the code; here nobody has
    "POST /v1/sign-in/guest": everybody(201),
    "POST /v1/sign-in/refresh": everybody(403),  # whoever has the refresh token; here nobody has
    "GET /v1/me": everybody(404)._replace(anonymous=401, expired=401),  # these tokens are of no account
    "GET /v1/me/sessions": SIGNED_IN,
    "DELETE /v1/me/sessions": SIGNED_OUT,
    "DELETE /v1/me/sessions/{session_id}": everybody(404)._replace(anonymous=401, expired=401),
    "GET /dev/inbox": PROBE,
    "POST /v1/webhooks/{gateway}": everybody(403),  # whoever signs as the gateway; here nobody does
    "GET /sandbox/payments/{reference}/step": everybody(409),  # whoever has the client secret; here nobody has
    "POST /sandbox/payments/{reference}/step": everybody(409),
    "GET /healthz": PROBE,
    "GET /readyz": PROBE,
}
SHIPPED = {"carrier": "DHL", "tracking_number": "1"}
QUERIES = {"GET /v1/me/statement": "?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z"}
BODIES: dict[str, object] = {
    "POST /v1/deals": deal_body(),
    "PATCH /v1/deals/{deal_id}": {"title": "Green tea"},
    "POST /v1/orders/shipments": {"shipments": [{"order_id": str(uuid4()), **SHIPPED}]},
    "POST /v1/orders/{order_id}/ship": SHIPPED,
    "POST /v1/orders/{order_id}/cancel": {"reason": "Sold out."},
    "POST /v1/orders/{order_id}/refunds": {"reason": "It came broken."},
    "POST /sandbox/payments/{reference}/step": {"client_secret": "guessed"},
    "POST /v1/sign-in/codes": {"phone": "+447911123456"},
    "POST /v1/sign-in/code": {"phone": "+447911123456", "code": "123456"},
    "POST /v1/sign-in/refresh": {"refresh_token": "guessed"},
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
    """Merchants touch only their own deals, shoppers act as shoppers, and an expired token is nobody's."""
    scene = await _scene(town, operation)
    bought = await _bought(town, shop, scene.shopper, operation) if "{order_id}" in operation else None
    expired = town.person("shopper", "merchant", lifetime_s=-1)
    callers = (town.nobody, expired, town.person("merchant"), town.shopper(), scene.shopper, town.merchant)
    method, template = operation.split(" ")
    path = template.format(
        deal_id=scene.deal["id"],
        group_id=scene.group["id"],
        code=scene.invite["code"],
        order_id=bought and bought.order_id,
        gateway="sandbox",
        session_id=uuid4(),
        reference=f"sandbox_{uuid4().hex}",
    ) + QUERIES.get(operation, "")
    got = [(await caller.ask(method, path, BODIES.get(operation))).status_code for caller in callers]
    assert Row(*got) == TABLE[operation]


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


async def _scene(town: Town, operation: str) -> Scene:
    """A state in which the operation succeeds for whoever may call it."""
    shopper = town.shopper()
    fills = operation.endswith("/live")  # a stream ends where the group is closed
    tiers = [{"participants": 3, "unit_price": 900}]
    group = await town.open_group(shopper, **({} if fills else {"tiers": tiers}))
    invite = (await shopper.post(f"/v1/groups/{group['id']}/invites", {"channel": f"poster {uuid4()}"[:32]})).json()
    if fills:
        assert (await town.merchant.post(f"/v1/groups/{group['id']}/cancel")).status_code == 200
    deal = {"id": group["deal_id"]}
    if operation.startswith("PATCH") or operation.endswith("/publish"):
        deal = await town.draft()
    if operation.endswith("/resume"):
        await town.merchant.post(f"/v1/deals/{deal['id']}/pause")
    return Scene(deal, group, shopper, invite)


async def _bought(town: Town, shop: MoneyShop, shopper: Person, operation: str) -> Purchase:
    """An order of the shopper's that the operation can be done with."""
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), shopper.subject, None))[0]
    if operation.endswith("/deliver"):
        assert (await town.merchant.post(f"/v1/orders/{bought.order_id}/ship", SHIPPED)).status_code == 200
    return bought

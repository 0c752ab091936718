"""The status that each caller gets from each operation; `test_authorisation` tries them all."""

from typing import NamedTuple


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
    "GET /v1/me/invites": shoppers(200),
    "GET /v1/groups/{group_id}/invite-tree": signed_in(404)._replace(
        shopper=200, owner=200, editor=200, fulfilment=200, analyst=200, key=200, operator=200
    ),
    "GET /v1/invites/{code}": ANYONE,
    "DELETE /v1/invites/{code}": shoppers(404)._replace(shopper=204),
    "GET /v1/invites/{code}/share": shoppers(404)._replace(shopper=200),
    "GET /v1/share/wechat-signature": everybody(404)._replace(expired=401),  # no account of WeChat's is set up
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
    "DELETE /v1/me/identities/{provider}": people(403)._replace(guest=404, operator=404),  # no fresh session, as above
    "GET /v1/me/notices": SIGNED_IN,
    "GET /v1/me/notices/unread": SIGNED_IN,
    "POST /v1/me/notices/read": SIGNED_IN,
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
    "GET /": everybody(404),  # a page for people alone
    "GET /i/{code}": PROBE,
    "GET /g/{group_id}": PROBE,
    "GET /i/{code}/card/{key}": everybody(302),  # an old key
    "GET /g/{group_id}/card/{key}": everybody(302),
    "GET /i/{code}/poster/{key}": everybody(302),
    "GET /g/{group_id}/poster/{key}": everybody(302),
    "GET /i/{code}/qr.svg": PROBE,
    "GET /g/{group_id}/qr.svg": PROBE,
    "GET /g/{group_id}/live": PROBE,
    "GET /g/{group_id}/join": PROBE,
    "POST /g/{group_id}/join": everybody(403),  # a page of ours must say it sent the form, here and below
    "POST /g/{group_id}/join/code": everybody(403),
    "POST /g/{group_id}/join/sign-in": everybody(403),
    "POST /g/{group_id}/join/guest": everybody(403),
    "GET /g/{group_id}/paid/{order_id}": everybody(303),
    "POST /g/{group_id}/leave": everybody(403),
    "POST /g/{group_id}/sign-out": everybody(403),
    "GET /.well-known/apple-app-site-association": everybody(404),  # no apps are set up
    "GET /.well-known/assetlinks.json": everybody(404),
    "GET /unsubscribe/{token}": everybody(404),  # no letter of ours has that
    "POST /unsubscribe/{token}": everybody(404),
    "GET /oembed": everybody(422),  # no address of ours is named
    "GET /static/{fingerprint}/{name}": PROBE,
    "GET /dev/inbox": PROBE,
    "POST /v1/webhooks/{gateway}": everybody(403),  # whoever signs as the gateway; here nobody does
    "GET /sandbox/payments/{reference}/step": everybody(409),  # whoever has the client secret; here nobody has
    "POST /sandbox/payments/{reference}/step": everybody(409),
    "GET /.well-known/jwks.json": PROBE,
    "GET /healthz": PROBE,
    "GET /readyz": PROBE,
}

"""Who may call what: every operation of the API in one table, which `api.access` asks before every handler.

What each role of a merchant's staff may do, and what an API key can be allowed, is in `domain.identity.permissions`.
"""

from enum import Enum
from typing import Final

from domain.identity.permissions import Permission, Role


class Access(Enum):
    """Who may call an operation; a token that is sent must be good, except where nobody looks at it.

    `SIGNED_IN` is anybody with a token or an API key: what the operation is about says whether it is theirs; `PERSON`
    is anybody but a key.
    """

    UNASKED = None
    ANYONE = ""
    SIGNED_IN = "*"
    PERSON = "person"
    SHOPPER = Role.SHOPPER
    ADMIN = Role.ADMIN


_UNASKED, _ANYONE, _SIGNED_IN, _PERSON, _SHOPPER, _ADMIN = Access
_MAY = Permission

WHO_MAY: Final[dict[str, Access | Permission]] = {
    # what is offered
    "POST /v1/deals": _MAY.DEALS_WRITE,
    "GET /v1/deals": _ANYONE,
    "GET /v1/deals/{deal_id}": _ANYONE,  # a draft only its merchant
    "PATCH /v1/deals/{deal_id}": _MAY.DEALS_WRITE,  # its own, here and below: others get 404
    "POST /v1/deals/{deal_id}/publish": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/pause": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/resume": _MAY.DEALS_WRITE,
    "POST /v1/deals/{deal_id}/end": _MAY.DEALS_WRITE,
    "POST /v1/price-schedules/preview": _ANYONE,
    # groups: anybody looks, shoppers join
    "POST /v1/deals/{deal_id}/groups": _SHOPPER,
    "GET /v1/deals/{deal_id}/groups": _ANYONE,
    "GET /v1/groups/{group_id}": _ANYONE,
    "GET /v1/groups/{group_id}/live": _ANYONE,
    "POST /v1/groups/{group_id}/participants": _SHOPPER,
    "DELETE /v1/groups/{group_id}/participants/me": _SHOPPER,
    "GET /v1/groups/{group_id}/participants": _ANYONE,
    "POST /v1/groups/{group_id}/cancel": _MAY.GROUPS_CANCEL,
    "GET /v1/groups/{group_id}/explain": _SHOPPER,  # who has or had a place; others get 404
    "GET /v1/me/groups": _SHOPPER,
    "POST /v1/groups/{group_id}/invites": _SHOPPER,
    "GET /v1/me/invites": _SHOPPER,
    "GET /v1/groups/{group_id}/invite-tree": _SIGNED_IN,  # its leader and its merchant; others get 404
    "GET /v1/invites/{code}": _ANYONE,
    "DELETE /v1/invites/{code}": _SHOPPER,  # whose it is; others get 404
    "GET /v1/invites/{code}/share": _SHOPPER,  # whose it is; others get 404
    "GET /v1/share/wechat-signature": _ANYONE,
    # orders and their money
    "GET /v1/me/orders": _SHOPPER,
    "GET /v1/me/statement": _MAY.STATEMENTS_READ,
    "GET /v1/orders": _MAY.ORDERS_READ,
    "GET /v1/orders/{order_id}": _SIGNED_IN,  # its shopper and its merchant; others get 404
    "POST /v1/orders/shipments": _MAY.ORDERS_SHIP,
    "POST /v1/orders/{order_id}/ship": _MAY.ORDERS_SHIP,
    "POST /v1/orders/{order_id}/deliver": _SIGNED_IN,  # as above
    "POST /v1/orders/{order_id}/cancel": _MAY.ORDERS_REFUND,
    "POST /v1/orders/{order_id}/refunds": _MAY.ORDERS_REFUND,
    "POST /v1/deals/{deal_id}/orders": _SHOPPER,
    "POST /v1/orders/{order_id}/payment": _SHOPPER,  # its own; others get 404
    # the ways in and out
    "POST /v1/sign-in/codes": _UNASKED,
    "POST /v1/sign-in/code": _ANYONE,  # a guest's token makes the guest's account the one signed in to
    "POST /v1/sign-in/id-token": _ANYONE,  # as above
    "POST /v1/sign-in/wechat": _ANYONE,
    "POST /v1/sign-in/guest": _UNASKED,
    "POST /v1/sign-in/refresh": _UNASKED,  # whoever has the refresh token
    "POST /v1/sign-out": _PERSON,
    # what is the caller's own: no API keys; with another's id 404
    "GET /v1/me": _PERSON,
    "PATCH /v1/me": _PERSON,
    "DELETE /v1/me": _PERSON,
    "GET /v1/me/export": _PERSON,
    "POST /v1/me/identities": _PERSON,
    "DELETE /v1/me/identities/{provider}": _PERSON,
    "GET /v1/me/addresses": _PERSON,
    "POST /v1/me/addresses": _PERSON,
    "PATCH /v1/me/addresses/{address_id}": _PERSON,
    "DELETE /v1/me/addresses/{address_id}": _PERSON,
    "GET /v1/me/devices": _PERSON,
    "POST /v1/me/devices": _PERSON,
    "DELETE /v1/me/devices/{device_id}": _PERSON,
    "GET /v1/me/notices": _PERSON,
    "GET /v1/me/notices/unread": _PERSON,
    "POST /v1/me/notices/read": _PERSON,
    "GET /v1/me/sessions": _PERSON,
    "DELETE /v1/me/sessions": _PERSON,
    "DELETE /v1/me/sessions/{session_id}": _PERSON,
    "GET /v1/me/staff-invites": _PERSON,
    "POST /v1/staff-invites/{invite_id}/accept": _PERSON,  # whoever signs in with what was invited; others get 404
    # a merchant's own house; others get 404
    "POST /v1/merchants": _PERSON,  # not a guest
    "GET /v1/merchants/{merchant_id}": _ANYONE,  # all of it only its staff
    "PATCH /v1/merchants/{merchant_id}": _MAY.MERCHANT_WRITE,
    "GET /v1/merchants/{merchant_id}/staff": _MAY.MERCHANT_READ,
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff/{account_id}": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff/me": _MAY.MERCHANT_READ,  # whoever works there
    "POST /v1/merchants/{merchant_id}/staff-invites": _MAY.STAFF_WRITE,
    "GET /v1/merchants/{merchant_id}/staff-invites": _MAY.STAFF_WRITE,
    "DELETE /v1/merchants/{merchant_id}/staff-invites/{invite_id}": _MAY.STAFF_WRITE,
    "POST /v1/merchants/{merchant_id}/api-keys": _MAY.KEYS_WRITE,
    "GET /v1/merchants/{merchant_id}/api-keys": _MAY.KEYS_WRITE,
    "DELETE /v1/merchants/{merchant_id}/api-keys/{key_id}": _MAY.KEYS_WRITE,
    "GET /v1/merchants/{merchant_id}/audit": _MAY.AUDIT_READ,
    # the platform
    "GET /v1/admin/merchants": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/approve": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/refuse": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/suspend": _ADMIN,
    "POST /v1/admin/merchants/{merchant_id}/reinstate": _ADMIN,
    "GET /v1/admin/groups": _ADMIN,
    "POST /v1/admin/groups/{group_id}/cancel": _ADMIN,
    "GET /v1/admin/orders": _ADMIN,
    "GET /v1/admin/audit": _ADMIN,
    # pages for whoever opens a link
    "GET /": _UNASKED,
    "GET /i/{code}": _UNASKED,
    "GET /g/{group_id}": _UNASKED,
    "GET /g/{group_id}/join": _UNASKED,  # whoever is signed in in the browser, here and below
    "POST /g/{group_id}/join": _UNASKED,
    "POST /g/{group_id}/join/code": _UNASKED,
    "POST /g/{group_id}/join/sign-in": _UNASKED,
    "POST /g/{group_id}/join/guest": _UNASKED,
    "GET /g/{group_id}/paid/{order_id}": _UNASKED,
    "POST /g/{group_id}/leave": _UNASKED,
    "POST /g/{group_id}/sign-out": _UNASKED,
    "GET /.well-known/apple-app-site-association": _UNASKED,
    "GET /.well-known/assetlinks.json": _UNASKED,
    "GET /i/{code}/card/{key}": _UNASKED,
    "GET /g/{group_id}/card/{key}": _UNASKED,
    "GET /i/{code}/poster/{key}": _UNASKED,
    "GET /g/{group_id}/poster/{key}": _UNASKED,
    "GET /i/{code}/qr.svg": _UNASKED,
    "GET /g/{group_id}/qr.svg": _UNASKED,
    "GET /g/{group_id}/live": _UNASKED,
    "GET /oembed": _UNASKED,
    "GET /unsubscribe/{token}": _UNASKED,  # whoever has a letter of ours
    "POST /unsubscribe/{token}": _UNASKED,
    "GET /static/{fingerprint}/{name}": _UNASKED,
    # machines and whoever runs this
    "GET /dev/inbox": _UNASKED,  # there only while messages go to the console
    "POST /v1/webhooks/{gateway}": _UNASKED,  # whoever signs as the gateway
    "GET /sandbox/payments/{reference}/step": _UNASKED,
    "POST /sandbox/payments/{reference}/step": _UNASKED,  # whoever has the client secret
    "GET /.well-known/jwks.json": _UNASKED,
    "GET /healthz": _UNASKED,
    "GET /readyz": _UNASKED,
    "GET /schema": _UNASKED,
    "GET /schema/openapi.json": _UNASKED,
    "GET /problems/{slug}": _UNASKED,
}
"""A permission is asked of staff and API keys, for the merchant they act for; what belongs to others is 404 to them."""

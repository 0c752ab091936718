"""Parts that many operations share: parameters, headers of answers, and what every kind of problem looks like."""

from typing import Any, Final

from api.errors import FAULT, FAULT_DETAIL, FRAMEWORK_PROBLEMS, PROBLEM_TYPES
from api.idempotency import KEY_CHARACTERS_MAX, KEY_HEADER
from api.place_body import OF_A_CODE
from api.problems import ProblemType
from domain.groupbuy.deal import DealStatus
from domain.groupbuy.group import GroupStatus
from domain.groupbuy.order import OrderStatus
from domain.identity.permissions import Standing
from domain.sharing.language import Language
from infra.identity.accounts import Provider
from infra.payments.gateways import GATEWAYS
from infra.reading.audit import ACTION_CHARACTERS_MAX
from infra.reading.cursors import CURSOR_CHARACTERS_MAX
from infra.reading.deal_orders import DealSort
from infra.reading.order_rows import ShownStatus
from infra.reading.page import LIMIT_DEFAULT, LIMIT_MAX
from infra.reading.search import SEARCH_CHARACTERS_MAX

Json = dict[str, Any]


def _in_query(name: str, meaning: str, schema: Json, **more: object) -> Json:
    return {"name": name, "in": "query", "required": False, "description": meaning, "schema": schema, **more}


def _in_path(name: str, meaning: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}


def _moment_in_query(name: str, meaning: str, example: str) -> Json:
    schema = {"type": "string", "format": "date-time"}
    return _in_query(name, meaning, schema, example=example) | {"required": True}


_UUID: Final = {"type": "string", "format": "uuid"}

PARAMETERS: Final[dict[str, Json]] = {
    "deal_id": _in_path("deal_id", "The deal.", _UUID),
    "group_id": _in_path("group_id", "The group.", _UUID),
    "order_id": _in_path("order_id", "The order.", _UUID),
    "address_id": _in_path("address_id", "The address.", _UUID),
    "device_id": _in_path("device_id", "The device.", _UUID),
    "merchant_id": _in_path("merchant_id", "The merchant.", _UUID),
    "account_id": _in_path("account_id", "Somebody who works there.", _UUID),
    "invite_id": _in_path("invite_id", "The invite.", _UUID),
    "key_id": _in_path("key_id", "The API key.", _UUID),
    "provider": _in_path("provider", "The provider.", {"enum": list(Provider)}),
    "session_id": _in_path("session_id", "The session.", _UUID),
    "acting_for": {
        "name": "Tuan-Merchant",
        "in": "header",
        "required": False,
        "description": "The merchant this is done for; needed by those who work for several.",
        "schema": _UUID,
    },
    "fingerprint": _in_path("fingerprint", "What the file's content comes to.", {"type": "string"}),
    "name": _in_path("name", "The file.", {"type": "string"}),
    "key": _in_path("key", "What the picture's content comes to, after its language.", {"type": "string"}),
    "token": _in_path("token", "What stands in a letter's link.", {"type": "string", "maxLength": 400}),
    "gateway": _in_path("gateway", "The payment gateway.", {"enum": list(GATEWAYS)}),
    "lang": _in_query("lang", "`en`, `zh`, `de` or `es`; else it says nothing.", {"type": "string"}, example="de"),
    "embedded_url": _in_query("url", "The address of a link or a group here.", {"type": "string"}) | {"required": True},
    "embedded_format": _in_query("format", "What to be answered.", {"enum": ["json"], "default": "json"}),
    "reference": _in_path("reference", "The gateway's name for the payment.", {"type": "string", "maxLength": 255}),
    "code": _in_path("code", "The code of an invite.", {"type": "string", **OF_A_CODE}),
    "language": _in_query(
        "language",
        "The texts' language; left out, the one the account, or else the phone, says.",
        {"enum": list(Language)},
    ),
    "signed_url": _in_query(
        "url", "The page's address, which must be one of ours.", {"type": "string", "format": "uri", "maxLength": 2_048}
    )
    | {"required": True},
    "limit": _in_query(
        "limit",
        "How many items a page holds at most.",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    ),
    "cursor": _in_query(
        "cursor",
        "Where to go on: `next_cursor` of the page before.",
        {"type": "string", "minLength": 1, "maxLength": CURSOR_CHARACTERS_MAX},
    ),
    "status": _in_query("status", "Deals of this status; `live` where left out.", {"enum": list(DealStatus)}),
    "sort": _in_query("sort", "What to begin with.", {"enum": list(DealSort), "default": DealSort.NEWEST}),
    "q": _in_query(
        "q",
        "Words the title or the description must hold, parted by blanks.",
        {"type": "string", "maxLength": SEARCH_CHARACTERS_MAX},
    ),
    "client_secret": _in_query(
        "client_secret", "What the payment was answered with.", {"type": "string", "maxLength": 255}
    ),
    "of_merchant": _in_query("merchant_id", "Deals of this merchant.", _UUID),
    "shown_status": _in_query("status", "Orders of this status.", {"enum": list(ShownStatus)}),
    "order_status": _in_query("status", "Orders of this status.", {"enum": list(OrderStatus)}),
    "standing": _in_query("status", "Merchants who stand here.", {"enum": list(Standing)}),
    "group_status": _in_query("status", "Groups of this status.", {"enum": list(GroupStatus)}),
    "sought": _in_query(
        "q",
        "An id of anything that leads there (group, deal, order, shopper), a shopper's phone number or e-mail address,"
        " or words of the deal.",
        {"type": "string", "maxLength": SEARCH_CHARACTERS_MAX},
    ),
    "in_deal": _in_query("deal_id", "Only of this deal.", _UUID),
    "at_merchant": _in_query("merchant_id", "Only of this merchant.", _UUID),
    "of_order": _in_query("order_id", "Only this order.", _UUID),
    "of_shopper": _in_query("shopper_id", "Only of this shopper.", _UUID),
    "by_actor": _in_query("actor_id", "Only what this account or key did.", _UUID),
    "about_thing": _in_query("thing_id", "Only what was done to this.", _UUID),
    "action": _in_query(
        "action",
        "Only this action, such as `group.cancel`.",
        {"type": "string", "minLength": 1, "maxLength": ACTION_CHARACTERS_MAX},
    ),
    "of_deal": _in_query("deal_id", "Orders of this deal.", _UUID),
    "of_group": _in_query("group_id", "Orders of this group.", _UUID),
    "period_from": _moment_in_query("from", "Where the period begins (inclusive).", "2027-05-01T00:00:00Z"),
    "period_to": _moment_in_query("to", "Where the period ends (exclusive).", "2027-06-01T00:00:00Z"),
    "currency": _in_query("currency", "Only this currency.", {"type": "string", "pattern": "^[A-Z]{3}$"}),
    "statement_format": _in_query("format", "What to be answered.", {"enum": ["json", "csv"], "default": "json"}),
    "idempotency_key": {
        "name": KEY_HEADER,
        "in": "header",
        "required": False,
        "description": (
            "A new random text per request you mean to have one effect; the same key with the same request is "
            "answered as the first time, with another request it is refused."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS_MAX, "pattern": "^[!-~]+$"},
        "example": "b9b2cc3e-0d0c-4b9e-9f4e-5d8a3f0f2c77",
    },
    "if_match": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` you have: where it holds no more, nothing is changed and the answer is 412.",
        "schema": {"type": "string"},
        "example": 'W/"3.0c5a1f9e"',
    },
    "if_none_match": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` you have: where it still holds, the answer is 304 without a body.",
        "schema": {"type": "string"},
        "example": 'W/"3.0c5a1f9e"',
    },
}

HEADERS: Final[dict[str, Json]] = {
    "Location": {
        "description": "The path of what was created.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "ETag": {"description": "The weak tag of this state.", "required": True, "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` where this is the stored answer of an earlier request with the same key.",
        "schema": {"enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "RateLimit-Policy": {
        "description": "The policies that this request was counted for: `q` requests in any `w` seconds.",
        "schema": {"type": "string"},
        "example": '"read-account";q=600;w=10',
    },
    "RateLimit": {
        "description": "What is left of each: `r` requests now, more in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"read-account";r=0;t=3',
    },
    "WWW-Authenticate": {
        "description": "What is missing, and for a refused token why (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
}

PROBLEM_HEADERS: Final = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}


def every_problem_type() -> dict[str, ProblemType]:
    """All types of problems by slug."""
    types = [*PROBLEM_TYPES.values(), *(kind for kind, _ in FRAMEWORK_PROBLEMS.values()), FAULT]
    return {kind.slug: kind for kind in types}


def problem_examples() -> dict[str, Json]:
    """One example of each problem."""
    return {slug: {"summary": kind.title, "value": _example(kind)} for slug, kind in every_problem_type().items()}


def _example(kind: ProblemType) -> Json:
    example: Json = {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": kind.title + "."}
    if kind.status == 422:
        example["errors"] = [{"field": "quantity", "message": "must be from 1 to 1000 units"}]
    if kind is FAULT:
        example |= {"detail": FAULT_DETAIL, "instance": "urn:uuid:01997b40-03c1-7b7e-a5d0-6e1f0c9d3a42"}
    return example

"""The OpenAPI 3.1 document, made of the operations, the table of access and the kinds of problems."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from api.contract.operation import Operation, Sent
from api.contract.operations import OPERATIONS
from api.contract.parts import HEADERS, PARAMETERS, PROBLEM_HEADERS, Json, problem_examples
from api.contract.schemas import Schemas, schemas_of
from api.errors import FAULT, FRAMEWORK_PROBLEMS, PROBLEM_TYPES
from api.limits import class_of
from api.problems import Problem, ProblemType
from api.refused import (
    BodyTooLarge,
    BodyTooSlow,
    MalformedJson,
    MerchantNotApproved,
    NotAuthenticated,
    NotStaff,
    PermissionMissing,
    PersonNeeded,
    RateLimited,
    RoleMissing,
    WrongContentType,
)
from api.who_may import WHO_MAY, Access
from domain.errors import InvalidInput
from domain.identity.errors import MerchantNotFound
from domain.identity.limits import NEEDS_THE_COUNT, POLICIES
from domain.identity.permissions import KEYS_MAY, SELLING, STAFF_MAY, Permission, StaffRole
from infra.batch import KeyReused
from infra.unavailable import DatabaseUnavailable, LimiterUnavailable, Overloaded

WHO: Final = {
    Access.UNASKED: "anyone; no token is looked at",
    Access.ANYONE: "anyone; a token that is sent must be good",
    Access.SIGNED_IN: "anybody with a token or an API key, for what is theirs; anything else is 404 to them",
    Access.PERSON: "anybody with a token, for what is theirs; no API keys",
    Access.SHOPPER: "shoppers",
    Access.ADMIN: "administrators of the platform",
}

_DESCRIPTION: Final = """
Group buying: the unit price of a deal drops as people join a group, and when the group closes everybody pays the same
final price, or nobody pays anything. Money is an integer of minor units beside its `currency`, times are RFC 3339 UTC,
ids are UUIDs. Lists take `limit` and `cursor`. What is refused is answered as problem details (RFC 9457) with a stable
`type`. Fields may be added to answers at any time; none is removed or changes its meaning within `/v1`.
Every answer carries an `X-Request-Id`: the caller's own, where one was sent that has up to 100 characters of
`A-Za-z0-9._:+/=@-`, else a new one; the audit log names it.
Requests are limited per account and network address: `RateLimit-Policy` and `RateLimit` on answers tell what is left,
`Retry-After` on 429 how long to wait.
""".strip()

_TAGS: Final = {
    "deals": "What merchants offer.",
    "groups": "Groups, the places in them and the links that lead there.",
    "orders": "What was bought: where it is, and its money.",
    "payments": "How gateways, and apps whose shopper has paid, tell of payments.",
    "sign-in": "The ways in: codes, guests, tokens that follow from those before.",
    "account": "Who I am here, and where I am signed in.",
    "merchants": "Who sells: applying, staff and API keys.",
    "administration": "For the platform: decisions about merchants, searching, calling groups off, the audit log.",
    "pages": "What people open in a browser; no promise that it stays as it is.",
    "probes": "For whoever runs it.",
}

_SECURITY: Final[dict[Access | Permission, list[Json]]] = {
    Access.UNASKED: [],
    Access.ANYONE: [{}, {"bearer": []}],
}
_PATH_NAME: Final = re.compile(r"{(\w+)}")


def build_document() -> Json:
    """The document as JSON values."""
    schema_of, components = schemas_of(_shapes())
    paths: dict[str, Json] = defaultdict(dict)
    for tag, operations in OPERATIONS.items():
        for name, operation in operations.items():
            method, path = name.split(" ")
            paths[path][method.lower()] = _operation(name, tag, operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tuan", "version": version("tuan"), "description": _DESCRIPTION},
        "tags": [{"name": name, "description": meaning} for name, meaning in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "examples": problem_examples(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token (RFC 9068); its `roles` say: a shopper's, a merchant's or both.",
                }
            },
        },
    }


def _shapes() -> list[Any]:
    operations = [operation for group in OPERATIONS.values() for operation in group.values()]
    sent = [answer.shape for operation in operations for answer in operation.answers.values() if answer.shape]
    received = [operation.body.shape for operation in operations if operation.body]
    return list(dict.fromkeys([*sent, *received, Problem]))


def _operation(name: str, tag: str, operation: Operation, schema_of: Schemas) -> Json:
    access = WHO_MAY[name]
    described: Json = {
        "operationId": operation.id,
        "tags": [tag],
        "summary": operation.summary,
        "description": f"{operation.description}\n\nWho: {_who(access)}.".strip(),
        "security": _SECURITY.get(access, [{"bearer": []}]),
        "parameters": [{"$ref": f"#/components/parameters/{known}"} for known in _parameters(name, operation)],
        "responses": {
            **{str(status): _sent(sent, schema_of) for status, sent in operation.answers.items()},
            **({"304": _unchanged()} if _is_tagged(name, operation) else {}),
            **{str(status): _refused(kinds, schema_of) for status, kinds in _problems(name, operation).items()},
        },
    }
    if operation.body:
        content = {"schema": schema_of[operation.body.shape], "example": operation.body.example}
        described["requestBody"] = {
            "required": operation.body.is_required,
            "content": {"application/json": content, **_as_text(operation.body.as_text)},
        }
    return described


def _parameters(name: str, operation: Operation) -> Iterable[str]:
    yield from _PATH_NAME.findall(name)
    yield from operation.query
    if isinstance(WHO_MAY[name], Permission) and "{merchant_id}" not in name:
        yield "acting_for"
    if operation.takes_idempotency_key:
        yield "idempotency_key"
    if _is_tagged(name, operation):
        yield "if_none_match"


def _sent(sent: Sent, schema_of: Schemas) -> Json:
    described: Json = {"description": sent.meaning}
    if sent.shape is not None:
        content: Json = {"schema": schema_of[sent.shape]}
        if sent.example is not None:
            content["example"] = sent.example
        described["content"] = {sent.media_type: content, **_as_text(sent.as_text)}
    if sent.headers:
        described["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sent.headers}
    return described


def _as_text(examples: Mapping[str, str]) -> Json:
    return {media_type: {"schema": {"type": "string"}, "example": example} for media_type, example in examples.items()}


def _unchanged() -> Json:
    headers = {"ETag": {"$ref": "#/components/headers/ETag"}}
    return {"description": "You have this state already.", "headers": headers}


def _refused(kinds: Sequence[ProblemType], schema_of: Schemas) -> Json:
    content = {
        "schema": schema_of[Problem],
        "examples": {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds},
    }
    described: Json = {
        "description": " · ".join(f"`{kind.slug}`: {kind.title}" for kind in kinds),
        "content": {"application/problem+json": content},
    }
    headers = PROBLEM_HEADERS.get(kinds[0].status, ())
    if headers:
        described["headers"] = {header: {"$ref": f"#/components/headers/{header}"} for header in headers}
    return described


def _who(access: Access | Permission) -> str:
    if isinstance(access, Access):
        return WHO[access]
    roles = [role for role in StaffRole if access in STAFF_MAY[role]]
    keys = f", and API keys with the scope `{access}`" if access in KEYS_MAY else ""
    return f"a merchant's staff ({', '.join(roles)}){keys}, for what is the merchant's; anything else is 404 to them"


def _problems(name: str, operation: Operation) -> dict[int, list[ProblemType]]:
    """By status: those the operation names, and those that follow from what it takes and who may call it."""
    causes: list[type[Exception]] = list(operation.problems)
    access = WHO_MAY[name]
    if access is not Access.UNASKED:
        causes.append(NotAuthenticated)
    if access in {Access.SHOPPER, Access.ADMIN}:
        causes.append(RoleMissing)
    if access is Access.PERSON:
        causes.append(PersonNeeded)
    if isinstance(access, Permission):
        not_theirs = MerchantNotFound if "{merchant_id}" in name else NotStaff
        causes += [RoleMissing, not_theirs, PermissionMissing, InvalidInput]
        causes += [MerchantNotApproved] if access in SELLING else []
    if operation.body:
        causes += [MalformedJson, BodyTooLarge, BodyTooSlow, WrongContentType]
    if operation.body or operation.query or "_id}" in name:
        causes.append(InvalidInput)
    if operation.takes_idempotency_key:
        causes.append(KeyReused)
    limited_as = class_of(name, access)
    causes += [RateLimited] if POLICIES[limited_as] else []
    causes += [LimiterUnavailable] if limited_as in NEEDS_THE_COUNT else []
    if operation.needs_database:
        causes += [Overloaded, DatabaseUnavailable]
    kinds = [PROBLEM_TYPES[cause] for cause in causes] + [FRAMEWORK_PROBLEMS[400][0], FAULT]
    by_status: dict[int, list[ProblemType]] = defaultdict(list)
    for kind in sorted(kinds, key=lambda kind: kind.status):
        by_status[kind.status].append(kind)
    return by_status


def _is_tagged(name: str, operation: Operation) -> bool:
    return name.startswith("GET ") and any("ETag" in answer.headers for answer in operation.answers.values())

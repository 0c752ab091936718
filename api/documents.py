"""What the API says of itself: the OpenAPI document, a page of it for people, and what each problem means."""

from functools import cache
from typing import Final

from litestar.exceptions import NotFoundException

from api.answers import Answer, answered, encode
from api.contract.document import build_document
from api.contract.page import build_page
from api.contract.parts import every_problem_type
from api.requests import AnyRequest
from api.routing import route

_KEPT_FOR_A_WHILE: Final = ((b"cache-control", b"public, max-age=300"),)


@route("GET", "/schema/openapi.json")
async def openapi_json(request: AnyRequest) -> Answer:  # noqa: ARG001 - handlers take the request
    return Answer(200, _document(), _KEPT_FOR_A_WHILE)


@route("GET", "/schema")
async def schema_page(request: AnyRequest) -> Answer:  # noqa: ARG001 - handlers take the request
    return Answer(200, _page(), _KEPT_FOR_A_WHILE, b"text/html; charset=utf-8")


@route("GET", "/problems/{slug}")
async def problem_type(request: AnyRequest) -> Answer:
    """What is at the address that the `type` of a problem is."""
    kind = every_problem_type().get(request.scope["path_params"]["slug"])
    if kind is None:
        raise NotFoundException
    known = {"type": kind.uri, "status": kind.status, "title": kind.title, "contract": "/schema"}
    return answered(known, headers=_KEPT_FOR_A_WHILE)


@cache
def _document() -> bytes:
    """Made when first asked for: a process that nobody asks spares the memory."""
    return encode(build_document())


@cache
def _page() -> bytes:
    return build_page(build_document()).encode()

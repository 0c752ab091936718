"""The OpenAPI document is complete, and the page made of it needs nothing from anywhere."""

import re
from typing import Any

import msgspec

from api.app import HANDLERS
from api.contract.document import build_document
from api.contract.operation import Sent
from api.contract.operations import OPERATIONS
from api.who_may import WHO_MAY
from tests.api.people import Town

OF_THE_DOCUMENT_ITSELF = {"GET /schema", "GET /schema/openapi.json", "GET /problems/{slug}"}


def test_every_route_is_in_the_document_and_in_the_table_of_access() -> None:
    """A route that is not described, or described and not there, fails here."""
    routes = {handler.name for handler in HANDLERS}
    assert routes == set(WHO_MAY)
    described = {name for operations in OPERATIONS.values() for name in operations}
    assert described == routes - OF_THE_DOCUMENT_ITSELF


def test_examples_are_what_they_are_examples_of() -> None:
    """Every example can be read as its shape, and says all of it that is answered."""
    for operations in OPERATIONS.values():
        for operation in operations.values():
            if operation.body:
                msgspec.convert(operation.body.example, operation.body.shape)
            for sent in operation.answers.values():
                _check(sent)


async def test_the_document_is_served_and_every_reference_leads_somewhere(town: Town) -> None:
    """`/schema/openapi.json` is OpenAPI 3.1 whose references all resolve."""
    document = (await town.nobody.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for reference in _references(document):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_every_operation_documents_its_problems() -> None:
    """Each operation names the shape of every status it can have, and 401, 422 and 503 where they can occur."""
    for path, methods in build_document()["paths"].items():
        for operation in methods.values():
            responses = operation["responses"]
            assert "500" in responses, path
            if {"bearer": []} in operation["security"]:
                assert "WWW-Authenticate" in responses["401"]["headers"], path
            if "requestBody" in operation:
                assert {"400", "413", "415", "422"} <= set(responses), path
            assert ("429" in responses) == (path not in {"/healthz", "/readyz"}), path
            if "429" in responses:
                assert set(responses["429"]["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}, path
            if path.startswith("/v1") and "preview" not in path:
                assert "Retry-After" in responses["503"]["headers"], path


async def test_the_page_for_people_fetches_nothing(town: Town) -> None:
    """The page lists every operation and refers to no other host."""
    page = await town.nobody.get("/schema")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script|<link|src=|url\(|@import", page.text)
    for operations in OPERATIONS.values():
        for operation in operations.values():
            assert operation.summary.split("`")[0] in page.text


def _check(sent: Sent) -> None:
    if sent.example is not None:
        value = msgspec.convert(sent.example, sent.shape, strict=False)
        said = msgspec.to_builtins(value)
        read, given = (said, sent.example) if isinstance(said, list) else ([said], [sent.example])
        assert list(map(set, read)) == list(map(set, given))  # type: ignore[call-overload]  # examples are objects


def _references(part: object) -> list[str]:
    match part:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for value in part.values() for found in _references(value)]
        case list():
            return [found for value in part for found in _references(value)]
        case _:
            return []

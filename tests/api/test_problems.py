"""Refusals as problem details: each its own type, the framework's too, and nothing of the inside."""

import inspect
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from structlog.testing import capture_logs

from api.answers import Answer
from api.app import create_app
from api.contract.parts import every_problem_type
from api.errors import PROBLEM_TYPES
from api.requests import AnyRequest
from api.routing import route
from api.who_may import Access
from domain.errors import DomainError
from domain.groupbuy import errors as refusals
from infra.settings import Settings, read_settings
from infra.unavailable import Overloaded
from tests.api.conftest import connected, running
from tests.api.people import Town, deal_body, problem

GROUPS = "/v1/groups/01997b40-03c1-7b7e-a5d0-6e1f0c9d3a42"


def test_every_refusal_of_the_domain_has_a_type_of_its_own() -> None:
    """A refusal added to the domain without a row in `api.errors` fails here."""
    tree = [kind for _, kind in inspect.getmembers(refusals, inspect.isclass) if issubclass(kind, DomainError)]
    leaves = {kind for kind in tree if not kind.__subclasses__()}
    assert leaves <= set(PROBLEM_TYPES)
    slugs = [kind.slug for kind in PROBLEM_TYPES.values()]
    assert len(slugs) == len(set(slugs))


async def test_every_type_is_an_address_that_explains_it(town: Town) -> None:
    """What `type` says can be looked up, and what is no type cannot."""
    for kind in every_problem_type().values():
        assert (await town.nobody.get(kind.uri)).json()["title"] == kind.title
    problem(await town.nobody.get("/problems/none"), 404, "no-such-route")


async def test_the_framework_speaks_our_words(town: Town) -> None:
    """An unknown address and an unknown method are problems too, and 405 says what is allowed."""
    problem(await town.nobody.get("/v2/deals"), 404, "no-such-route")
    refused = await town.nobody.ask("PUT", "/v1/deals", {})
    problem(refused, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(refused.headers["allow"].split(", "))
    problem(await town.nobody.get("/healthz", headers={"host": "a b"}), 400, "bad-request")


async def test_a_body_that_breaks_off_is_a_problem_too(settings: Settings) -> None:
    """Chunks that cannot be read reach the app as a hang-up, and who sent them may still be listening."""
    sent: list[Any] = []

    async def hang_up() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/price-schedules/preview",
        "raw_path": b"/v1/price-schedules/preview",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"tuan.test"), (b"transfer-encoding", b"chunked")],
        "client": None,
        "server": None,
    }
    app = create_app(settings)
    async with running(app):
        await app(cast("Any", scope), cast("Any", hang_up), send)
    begun, body = sent
    assert begun["status"] == 400
    assert (b"content-type", b"application/problem+json") in begun["headers"]
    assert json.loads(body["body"])["type"] == "/problems/bad-request"


async def test_head_answers_as_get_without_the_body(town: Town) -> None:
    """HEAD is GET without the body (RFC 9110, 9.3.2), refusals included."""
    deal = await town.live_deal()
    for path in ("/healthz", f"/v1/deals/{deal['id']}", GROUPS):
        got, head = await town.nobody.get(path), await town.nobody.ask("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


async def test_without_a_token_the_answer_says_how_to_send_one(town: Town) -> None:
    """401 carries WWW-Authenticate, and for a token that was refused the reason (RFC 6750)."""
    missing = await town.nobody.post("/v1/deals", deal_body())
    problem(missing, 401, "not-authenticated")
    assert missing.headers["www-authenticate"] == 'Bearer realm="tuan"'
    expired = await town.person("merchant", lifetime_s=-1).post("/v1/deals", deal_body())
    problem(expired, 401, "not-authenticated")
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]
    problem(await town.shopper().post("/v1/deals", deal_body()), 403, "role-missing")


async def test_a_fault_shows_nothing_of_the_inside_and_is_logged_once(settings: Settings) -> None:
    """A 500 names an instance that the log has with its trace, and says no more."""

    @route("GET", "/broken", access=Access.UNASKED)
    async def broken(request: AnyRequest) -> Answer:
        message = f"secret of {request.scope['path']}"
        raise RuntimeError(message)

    @route("GET", "/busy", access=Access.UNASKED)
    async def busy(request: AnyRequest) -> Answer:  # noqa: ARG001 - handlers take the request
        raise Overloaded

    async with connected(create_app(settings, extra_handlers=[broken, busy])) as client:
        with capture_logs() as lines:
            failed = await client.get("/broken")
        details = problem(failed, 500, "internal-error")
        assert "secret" not in failed.text
        assert [line["instance"] for line in lines] == [details["instance"]]
        assert isinstance(lines[0]["exc_info"], RuntimeError)
        overloaded = await client.get("/busy")
        problem(overloaded, 503, "overloaded")
        assert int(overloaded.headers["retry-after"]) >= 1


@pytest.fixture
async def lonely(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The API without PostgreSQL or Redis."""
    nowhere = {"DATABASE_URL": "postgresql://tuan@127.0.0.1:1/tuan", "REDIS_URL": "redis://127.0.0.1:1/0"}
    apart = read_settings({**nowhere, "TUAN_DATA_DIR": str(settings.data_dir)})
    async with connected(create_app(apart)) as client:
        yield client


async def test_without_postgresql_every_operation_is_503_and_the_process_lives(
    lonely: httpx.AsyncClient, settings: Settings
) -> None:
    """PostgreSQL down: 503 with Retry-After, never 500; /healthz knows no dependency."""
    town = Town(lonely, settings)
    shopper, merchant = town.shopper(), town.merchant
    asked = [
        await town.nobody.get("/readyz"),
        await town.nobody.get("/v1/deals"),
        await town.nobody.get(GROUPS),
        await shopper.get("/v1/me/groups"),
        await shopper.post(f"{GROUPS}/participants"),
        await merchant.post("/v1/deals", deal_body()),
        await merchant.post(f"{GROUPS}/cancel"),
        await shopper.post(f"{GROUPS}/invites"),
        await town.nobody.get("/v1/invites/q3V9cH2kTz0aWm7B"),
    ]
    for answer in asked:
        problem(answer, 503, "database-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await town.nobody.get("/healthz")).status_code == 200


async def test_without_redis_it_is_ready_and_says_that_it_is_degraded(settings: Settings) -> None:
    """Redis down: everything goes on, and the probe tells whoever runs it."""
    no_redis = {"DATABASE_URL": settings.database_url, "REDIS_URL": "redis://127.0.0.1:1/0"}
    apart = read_settings({**no_redis, "TUAN_DATA_DIR": str(settings.data_dir)})
    async with connected(create_app(apart)) as client:
        town = Town(client, apart)
        ready = await town.nobody.get("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["redis"]) == (200, "degraded", "down")
        group = await town.open_group()
        assert (await town.shopper().post(f"/v1/groups/{group['id']}/participants")).status_code == 201
        assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["participants"] == 2


async def test_options_tells_every_method_of_an_address(town: Town) -> None:
    """OPTIONS and 405 name the same methods, all there are."""
    path = "/v1/deals/01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
    told = await town.nobody.ask("OPTIONS", path)
    assert (told.status_code, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    assert set((await town.nobody.ask("PUT", path)).headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}

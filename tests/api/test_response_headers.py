"""What every answer carries: headers of security, and for pages of other origins what they may do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from api.answers import Answer
from api.app import create_app
from api.contract.parts import HEADERS, PARAMETERS
from api.requests import AnyRequest
from api.response_headers import READABLE, SENDABLE
from api.routing import route
from api.who_may import Access
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town, deal_body

SHOP = "https://shop.example"
STRANGER = "https://evil.example"
DEAL = "/v1/deals/01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
PREFLIGHT = {
    "origin": SHOP,
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "authorization",
}
SECURE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "server": "tuan",
}


@route("GET", "/broken", access=Access.UNASKED)
async def broken(request: AnyRequest) -> Answer:
    raise RuntimeError(request.scope["path"])


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    chosen = replace(settings, cors_origins=(SHOP,), hsts_s=3_600)
    async with connected(create_app(chosen, extra_handlers=[broken])) as made:
        yield made


async def test_every_answer_is_secured(town: Town) -> None:
    """Good ones, refusals, faults and addresses where nothing is; streams and answers without a body too."""
    group = await town.open_group()
    assert (await town.merchant.post(f"/v1/groups/{group['id']}/cancel")).status_code == 200
    path = f"/v1/groups/{group['id']}"
    tag = (await town.nobody.get(path)).headers["etag"]
    answers = {
        200: await town.nobody.get("/v1/deals"),
        201: await town.merchant.post("/v1/deals", deal_body()),
        204: await town.nobody.ask("OPTIONS", "/v1/deals"),
        304: await town.nobody.get(path, headers={"if-none-match": tag}),
        400: await town.nobody.get("/v1/deals", headers={"host": "a b"}),
        401: await town.nobody.post("/v1/deals"),
        403: await town.shopper().post("/v1/deals"),
        404: await town.nobody.get("/nowhere"),
        405: await town.nobody.ask("PUT", "/v1/deals"),
        422: await town.nobody.get("/v1/deals?limit=0"),
        500: await town.nobody.get("/broken"),
    }
    streams = [(200, await town.nobody.get(f"{path}/live")) for _ in range(2)]
    for status, answer in [*answers.items(), *streams]:
        assert answer.status_code == status, answer
        assert SECURE.items() <= dict(answer.headers).items(), status
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["strict-transport-security"] == "max-age=3600"
        assert [len(answer.headers.get_list(name)) for name in SECURE] == [1] * len(SECURE)


async def test_pages_may_do_what_they_need_and_no_more(town: Town) -> None:
    """The two pages for people have styles of their own and a form to themselves, and no script runs in them."""
    page = await town.nobody.get("/schema")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
    assert "script" not in policy
    assert page.headers.get_list("content-security-policy") == [policy]


async def test_https_only_is_told_where_it_is_set(settings: Settings) -> None:
    """A server that is tried out without TLS must not lock its browsers out."""
    async with connected(create_app(settings)) as client:
        assert "strict-transport-security" not in (await client.get("/v1/deals")).headers


async def test_a_preflight_is_told_what_may_be_sent(town: Town) -> None:
    """From a page of ours: the methods of that very address, and the headers that this API reads."""
    told = await town.nobody.ask("OPTIONS", DEAL, headers=PREFLIGHT)
    assert told.status_code == 204
    assert told.headers["access-control-allow-origin"] == SHOP
    assert told.headers["access-control-allow-methods"] == told.headers["allow"] == "GET, HEAD, OPTIONS, PATCH"
    allowed = told.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "tuan-merchant", "last-event-id"} <= set(allowed)
    assert "Origin" in told.headers.get_list("vary")
    assert "access-control-allow-credentials" not in told.headers


async def test_pages_of_ours_may_read_answers_and_refusals(town: Town) -> None:
    """With the headers that an app acts on; without a preflight nothing is said of methods."""
    for path in ("/v1/deals", "/nowhere", "/v1/me/groups"):
        answer = await town.nobody.get(path, headers={"origin": SHOP})
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert {"Retry-After", "ETag", "RateLimit"} <= set(answer.headers["access-control-expose-headers"].split(", "))
        assert "access-control-allow-methods" not in answer.headers
        assert "Origin" in answer.headers.get_list("vary")


async def test_pages_of_ours_and_the_inbox_are_for_no_other_origin(settings: Settings) -> None:
    """Not even where the API is open to all: one-time codes and what cookies show stay here."""
    async with connected(create_app(replace(settings, cors_origins=("*",)))) as client:
        for path in ("/dev/inbox", "/i/nobodys", f"/g/{uuid4()}"):
            answer = await client.get(path, headers={"origin": STRANGER})
            assert not [name for name in answer.headers if name.startswith("access-control")]


def test_pages_may_send_and_read_every_header_there_is() -> None:
    """What the contract has in headers is of use to an app in a browser only if it is named."""
    sent = {part["name"] for part in PARAMETERS.values() if part["in"] == "header"}
    assert sent <= set(SENDABLE.decode().split(", "))
    assert set(HEADERS) <= set(READABLE.decode().split(", "))


@pytest.mark.parametrize("origin", [STRANGER, "null", f"{SHOP}.evil.example", "http://shop.example"])
async def test_pages_of_strangers_may_not(town: Town, origin: str) -> None:
    """Nothing is allowed to any other origin, in a preflight or an answer; caches are told that it depends."""
    for answer in (
        await town.nobody.ask("OPTIONS", DEAL, headers=PREFLIGHT | {"origin": origin}),
        await town.nobody.get("/v1/deals", headers={"origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "Origin" in answer.headers.get_list("vary")


async def test_all_origins_where_that_is_set_and_none_by_default(settings: Settings) -> None:
    """`*` for a public API; tokens travel in a header that no browser adds by itself."""
    async with connected(create_app(replace(settings, cors_origins=("*",)))) as client:
        answer = await client.get("/v1/deals", headers={"origin": STRANGER})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Origin" not in answer.headers.get_list("vary")
    async with connected(create_app(settings)) as client:
        answer = await client.get("/v1/deals", headers={"origin": SHOP})
        assert not [name for name in answer.headers if name.startswith("access-control")]

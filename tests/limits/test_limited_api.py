"""Limits over HTTP: who is counted for what, what the answers tell, and what a refusal leaves undone."""

from pathlib import Path

import httpx
import pytest

from api.app import HANDLERS
from api.limits import NAMED, class_of
from api.who_may import WHO_MAY, Access
from domain.identity.limits import (
    DRAWN_CARDS,
    DRAWN_OF_A_LINK,
    POLICIES,
    UNKNOWN_KEYS,
    UNKNOWN_LINKS,
    RouteClass,
    Whose,
    prefix_of,
)
from domain.identity.permissions import Permission
from tests.api.people import Person, Town, problem
from tests.limits.addresses import address, from_address, neighbour, phone
from tests.limits.structured_fields import read_list

SIGN_INS = 120
CODES_OF_ONE_ADDRESS = 60
CODES_OF_ONE_NUMBER = 5
CODES_OF_ONE_PAIR = 3
JOINS = 100


def quota(route_class: RouteClass, name: str) -> int:
    """What the policy of this name lets through."""
    return next(policy.quota for policy in POLICIES[route_class] if policy.name == name)


def test_every_operation_belongs_to_a_class_and_names_are_told_apart() -> None:
    """A route is limited by a rule, those that are named and then by who may call it; only probes go without.

    None of the names in the rule is of nothing.
    """
    for handler in HANDLERS:
        assert handler.name is not None
        assert handler.opt["limits"] is class_of(handler.name, WHO_MAY[handler.name])
    unlimited = {operation for operation, access in WHO_MAY.items() if not POLICIES[class_of(operation, access)]}
    assert unlimited == {"GET /healthz", "GET /readyz"}
    assert set(POLICIES) == set(RouteClass)
    names = [policy.name for policies in POLICIES.values() for policy in policies]
    assert len(names) == len(set(names))
    for beginning, _ in NAMED:
        assert beginning == "GET /v1/sign-in/" or any(name.startswith(beginning) for name in WHO_MAY), beginning


def test_the_page_lists_the_policies_as_they_are() -> None:
    """An operator reads in docs/limits.md what the program does."""
    page = (Path(__file__).parents[2] / "docs/limits.md").read_text()
    apart = (UNKNOWN_KEYS, UNKNOWN_LINKS, DRAWN_CARDS, DRAWN_OF_A_LINK)
    policies = [*apart, *(policy for policies in POLICIES.values() for policy in policies)]
    for policy in policies:
        assert f"| `{policy.name}` | {policy.quota:,} | {policy.window_s:,} |" in page
    assert page.count("\n| `") == len(policies)


@pytest.mark.parametrize(
    ("operation", "access", "route_class"),
    [
        ("POST /v1/sign-in/codes", Access.UNASKED, RouteClass.CODES),
        ("POST /v1/sign-in/guest", Access.UNASKED, RouteClass.SIGN_IN),
        ("POST /v1/sign-in/refresh", Access.UNASKED, RouteClass.REFRESH),
        ("POST /v1/groups/{group_id}/participants", Access.SHOPPER, RouteClass.JOIN),
        ("GET /v1/groups/{group_id}/participants", Access.ANYONE, RouteClass.READ),
        ("POST /v1/deals", Permission.DEALS_WRITE, RouteClass.SELL),
        ("DELETE /v1/me/sessions", Access.SIGNED_IN, RouteClass.WRITE),
        ("GET /v1/admin/merchants", Access.ADMIN, RouteClass.ADMIN),
        ("POST /v1/whatever/comes", Access.SHOPPER, RouteClass.WRITE),
    ],
)
def test_what_limits_an_operation(operation: str, access: Access | Permission, route_class: RouteClass) -> None:
    """The rule, by examples."""
    assert class_of(operation, access) is route_class


async def test_answers_tell_what_is_left(town: Town) -> None:
    """`RateLimit-Policy` and `RateLimit` are lists of structured fields, and count down together."""
    shopper = town.shopper()
    first = await shopper.get("/v1/me/groups", headers=from_address("203.0.113.1"))
    second = await shopper.get("/v1/me/groups", headers=from_address("203.0.113.1"))
    policies, left = read_list(first.headers["ratelimit-policy"]), read_list(first.headers["ratelimit"])
    assert policies == {"read-account": {"q": 600, "w": 10}, "read-address": {"q": 6_000, "w": 10}}
    assert {name: item["r"] for name, item in left.items()} == {"read-account": 599, "read-address": 5_999}
    assert all(1 <= item["t"] <= 11 for item in left.values())
    assert read_list(second.headers["ratelimit"])["read-account"]["r"] == 598
    other = await town.shopper().get("/v1/me/groups", headers=from_address("203.0.113.2"))
    assert read_list(other.headers["ratelimit"])["read-account"]["r"] == 599


async def test_an_account_that_asks_too_often_is_told_to_wait_and_nobody_else(town: Town) -> None:
    """429 with Retry-After, after exactly the quota, from whatever address; what was refused was not done."""
    group = await town.open_group(group_size_max=1_000, stock=1_000)
    path = f"/v1/groups/{group['id']}/participants"
    eager, other = town.shopper(), town.shopper()
    answers = [await eager.post(path, headers=from_address(address(number))) for number in range(JOINS)]
    assert {answer.status_code for answer in answers} == {200, 201}
    refused = await eager.post(path, headers=from_address("192.0.2.200"))
    details = problem(refused, 429, "rate-limited")
    assert "join-account" in details["detail"]
    left = read_list(refused.headers["ratelimit"])["join-account"]
    assert (left["r"], left["t"]) == (0, int(refused.headers["retry-after"]))
    assert int(refused.headers["retry-after"]) >= 1
    assert (await other.post(path)).status_code == 201
    assert (await eager.get(f"/v1/groups/{group['id']}")).json()["participants"] == 3


async def test_one_address_opens_so_many_accounts_and_another_goes_on(town: Town) -> None:
    """Guests cost nothing to make, so they are limited by where they come from."""
    statuses = [await _guest(town, "203.0.113.1") for _ in range(SIGN_INS + 5)]
    assert [answer.status_code for answer in statuses] == [201] * SIGN_INS + [429] * 5
    assert (await _guest(town, "203.0.113.2")).status_code == 201


async def test_a_spoofed_address_is_worth_nothing(town: Town) -> None:
    """Whatever a caller writes into the header stands left of what the proxy saw."""
    spoofed = [await _guest(town, f"{address(number)}, 203.0.113.9") for number in range(SIGN_INS + 1)]
    assert [answer.status_code for answer in spoofed] == [201] * SIGN_INS + [429]


async def test_tokens_that_are_refused_count_too(town: Town) -> None:
    """Guessing tokens is limited by address: the answer changes from 401 to 429."""
    guesser = Person(town.client, token="guessed")
    asked = [
        await guesser.post("/v1/sign-in/code", phone(1), headers=from_address("203.0.113.1"))
        for _ in range(SIGN_INS + 1)
    ]
    assert [answer.status_code for answer in asked] == [401] * SIGN_INS + [429]


async def test_one_number_gets_so_many_codes_whoever_asks(town: Town) -> None:
    """From any address, in any spelling; what is left of it is told to nobody who may only be curious."""
    asked = [await _code(town, neighbour(7), address(number)) for number in range(CODES_OF_ONE_NUMBER)]
    assert {answer.status_code for answer in asked} == {202}
    refused = await _code(town, {"phone": "+44 (0)7911 120007".replace("(0)", "")}, "203.0.113.1")
    assert "codes-recipient" in problem(refused, 429, "rate-limited")["detail"]
    assert int(refused.headers["retry-after"]) > 60
    assert all("recipient" not in answer.headers["ratelimit"] for answer in (*asked, refused))
    assert (await _code(town, neighbour(8), "203.0.113.1")).status_code == 202
    assert (await _code(town, {"email": "mei@example.com"}, "203.0.113.1")).status_code == 202


async def test_a_stranger_leaves_some_codes_to_whose_number_it_is(town: Town) -> None:
    """From one address a part of them can be asked for, so nobody is kept out by one who asks in their name."""
    asked = [await _code(town, neighbour(7), "203.0.113.1") for _ in range(CODES_OF_ONE_PAIR + 1)]
    assert [answer.status_code for answer in asked] == [202] * CODES_OF_ONE_PAIR + [429]
    assert "codes-pair" in asked[-1].json()["detail"]
    assert (await _code(town, neighbour(8), "203.0.113.1")).status_code == 202
    rest = [await _code(town, neighbour(7), "203.0.113.2") for _ in range(CODES_OF_ONE_NUMBER - CODES_OF_ONE_PAIR)]
    assert {answer.status_code for answer in rest} == {202}


@pytest.mark.parametrize(
    ("field", "spellings"),
    [
        ("email", ["mei@example.com", *(f"mei+{number}@Example.com" for number in range(CODES_OF_ONE_NUMBER))]),
        ("phone", ["+5491123456789", *("+541123456789" for _ in range(CODES_OF_ONE_NUMBER))]),
    ],
)
async def test_spellings_of_one_mailbox_or_phone_share_their_codes(
    town: Town, field: str, spellings: list[str]
) -> None:
    """Nobody's mailbox is flooded by way of tags, nor a phone by way of a digit that may be left out."""
    asked = [await _code(town, {field: each}, address(number)) for number, each in enumerate(spellings)]
    assert [answer.status_code for answer in asked] == [202] * CODES_OF_ONE_NUMBER + [429]
    assert "codes-recipient" in asked[-1].json()["detail"]


async def test_one_address_asks_for_so_many_codes_whatever_the_numbers(town: Town) -> None:
    """A script that goes through all numbers ends soon, and says nothing about numbers before their bodies are read."""
    asked = [await _code(town, phone(number), "203.0.113.1") for number in range(CODES_OF_ONE_ADDRESS + 1)]
    assert [answer.status_code for answer in asked] == [202] * CODES_OF_ONE_ADDRESS + [429]
    broken = await town.client.post("/v1/sign-in/codes", content=b"{", headers=from_address("203.0.113.1"))
    problem(broken, 429, "rate-limited")


async def test_one_block_of_numbers_gets_so_many_codes(town: Town) -> None:
    """Messages to a block of expensive numbers earn somebody money: it is limited, from however many addresses."""
    most = quota(RouteClass.CODES, "codes-prefix")
    asked = [await _code(town, neighbour(number), address(number)) for number in range(most + 1)]
    assert [answer.status_code for answer in asked] == [202] * most + [429]
    assert "codes-prefix" in asked[-1].json()["detail"]
    assert (await _code(town, phone(1), "203.0.113.1")).status_code == 202


def test_blocks_are_of_a_hundred_thousand_numbers() -> None:
    """Country and first digits; a short number still has its country."""
    assert prefix_of("+447911123456") == prefix_of("+447911199999") == "+4479111"
    assert prefix_of("+6777712345") == "+67777"
    assert prefix_of("+2904123") == "+290"


async def test_probes_and_options_are_not_limited(town: Town) -> None:
    """A load balancer asks as often as it likes."""
    for method, path in (("GET", "/healthz"), ("OPTIONS", "/v1/deals")):
        answer = await town.nobody.ask(method, path, headers=from_address("203.0.113.1"))
        assert "ratelimit" not in answer.headers


async def test_this_machine_is_not_limited_by_address(town: Town) -> None:
    """`tuan replay` plays thousands of people from one address; behind a proxy every request has a header."""
    answer = await town.nobody.get("/v1/deals")
    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
    assert set(read_list((await town.shopper().get("/v1/deals")).headers["ratelimit"])) == {"read-account"}
    assert {policy.whose for policy in POLICIES[RouteClass.READ]} == {Whose.ACCOUNT, Whose.ADDRESS}


async def _guest(town: Town, forwarded_for: str) -> httpx.Response:
    return await town.nobody.post("/v1/sign-in/guest", headers=from_address(forwarded_for))


async def _code(town: Town, to: dict[str, str], forwarded_for: str) -> httpx.Response:
    return await town.nobody.post("/v1/sign-in/codes", to, headers=from_address(forwarded_for))

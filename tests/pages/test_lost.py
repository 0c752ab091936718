"""Links that lead nowhere, and pages that cannot be shown: a page for people, problem details for programs."""

import asyncio
import secrets
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_network
from itertools import product
from uuid import uuid4

import httpx

from api.app import create_app
from domain.identity.limits import UNKNOWN_LINKS
from domain.sharing.language import Language
from infra.ids import new_invite_code
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town, problem
from tests.pages.reading import Read
from tests.pages.sharing import HTML, cut_off, shared

LATER = "198.51.100.4"


async def test_a_link_that_leads_nowhere_is_a_page_with_other_deals(town: Town) -> None:
    """404 in the visitor's language, with what to do next; valid, within the policy, and not kept by anybody."""
    other = await shared(town)
    paths = (f"/i/{new_invite_code()}", "/i/abc.def", f"/g/{uuid4()}")
    for path, language in product(paths, Language):
        answer = await town.nobody.get(path, headers={**HTML, "accept-language": language})
        read = Read(answer.text)
        assert (answer.status_code, answer.headers["content-language"]) == (404, language)
        assert (read.errors, read.faults()) == ([], [])
        assert read.style_source in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-store"
        assert any(other.own_path in one.get("href", "") for one in read.all("a"))
    assert (await town.nobody.get("/g/17", headers=HTML)).headers["content-type"].startswith("text/html")


async def test_programs_get_problem_details(town: Town) -> None:
    """Whoever does not ask for HTML, and every address that is no page."""
    path = f"/i/{new_invite_code()}"
    problem(await town.nobody.get(path), 404, "invite-not-found")
    stream = {"accept": "text/html, text/event-stream"}
    problem(await town.nobody.get(f"/g/{uuid4()}/live", headers=stream), 404, "group-not-found")
    problem(await town.nobody.get(f"/g/{uuid4()}"), 404, "group-not-found")
    problem(await town.nobody.get(f"/v1/groups/{uuid4()}", headers=HTML), 404, "group-not-found")
    for none_of_ours in ("%00", "%25", "%C3%A9", "%ED%A0%80", "x" * 4_000):  # PostgreSQL would choke on some of these
        problem(await town.nobody.get(f"/v1/invites/{none_of_ours}"), 404, "invite-not-found")


async def test_a_page_that_cannot_be_shown_now_says_so(town: Town, runtime: Runtime, settings: Settings) -> None:
    """While PostgreSQL does not answer: 503 as a page, with Retry-After, and without a look at other deals."""
    async with cut_off(settings, runtime.landings, runtime.landings.links):
        answer = await town.nobody.get(f"/i/{new_invite_code()}", headers=HTML)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Nobody loses a place" in Read(answer.text).text()


async def test_random_codes_find_nothing_and_are_throttled(settings: Settings) -> None:
    """Codes nobody was given: the same bytes each, so many a minute for one address, then 429; real links open on."""
    limited = replace(settings, rate_limits=True, trusted_proxies=(ip_network("127.0.0.1"),))
    app = create_app(limited)
    async with connected(app) as client:
        town = Town(client, limited)
        link = await shared(town)
        guesser = {**HTML, "x-forwarded-for": LATER}
        assert (await client.get(link.path, headers=guesser)).status_code == 200
        some = asyncio.Semaphore(20)  # all at once, a slow machine's Redis would be passed over for a count of ours

        async def guess(number: int) -> httpx.Response:
            async with some:
                return await client.get(f"/i/{_code(number)}", headers=guesser)

        answers = await asyncio.gather(*map(guess, range(UNKNOWN_LINKS.quota + 5)))
        found = [answer for answer in answers if answer.status_code == HTTPStatus.NOT_FOUND]
        refused = [answer for answer in answers if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS]
        assert (len(found), len(refused)) == (UNKNOWN_LINKS.quota - 1, 6)
        assert len({answer.content for answer in found}) == 1
        assert "Wait" in Read(refused[0].text).text()
        assert int(refused[0].headers["retry-after"]) > 0
        in_vain = await client.get(f"/v1/invites/{new_invite_code()}", headers={"x-forwarded-for": LATER})
        problem(in_vain, 429, "rate-limited")  # one count, whichever way is tried
        assert (await client.get(link.path, headers=guesser)).status_code == 200


def _code(number: int) -> str:
    """A code as ours, and any other that could be one."""
    return new_invite_code() if number % 2 else secrets.token_hex(1 + number % 32)

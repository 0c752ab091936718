"""Links that their sharers have taken back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from api.app import create_app
from domain.groupbuy.commands import RevokeInvite
from domain.identity.limits import UNKNOWN_LINKS
from infra.ids import new_id, new_invite_code
from infra.runtime import Runtime
from infra.settings import Settings
from infra.sharing.own_link import find_own_link
from tests.api.conftest import connected
from tests.api.people import Town, problem
from tests.pages.sharing import HTML, Shared, shared
from tests.reading.shop import Shop
from tests.sharing.circle import Circle

LATER = {"x-forwarded-for": "198.51.100.17"}
GUESSES_MAX = 3
BEHIND_A_LINK = ("/i/{}", "/i/{}/qr.svg", "/i/{}/card/en-0.jpg", "/v1/invites/{}")


@pytest.fixture
def counting(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """An API that counts who guesses, and has had enough soon."""
    monkeypatch.setattr("api.limiting.UNKNOWN_LINKS", replace(UNKNOWN_LINKS, quota=GUESSES_MAX))
    return create_app(replace(settings, rate_limits=True, trusted_proxies=(ip_network("127.0.0.1"),)))


@pytest.fixture
async def limited(counting: Litestar, settings: Settings) -> AsyncIterator[Town]:
    async with connected(counting) as client:
        yield Town(client, settings)


async def test_a_revoked_link_answers_as_one_that_never_was(limited: Town) -> None:
    """Byte for byte, on every address below it and for its sharer too, and whoever tries it is counted."""
    link = await shared(limited)
    assert (await limited.client.get(link.path, headers=HTML)).status_code == 200
    await _revoke(link)
    for path in BEHIND_A_LINK:
        for headers in ({}, HTML):
            told = [_told(await limited.client.get(path.format(code), headers=headers)) for code in _codes(link)]
            assert told[0] == told[1]
            assert told[0][0] == 404
    kits = [_told(await link.leader.get(f"/v1/invites/{code}/share")) for code in _codes(link)]
    assert kits[0] == kits[1]
    guesses = [await limited.client.get(link.path, headers=LATER) for _ in range(GUESSES_MAX + 1)]
    problem(guesses[-1], 429, "rate-limited")


async def test_the_first_look_at_a_revoked_link_is_counted_too(limited: Town, counting: Litestar) -> None:
    """Also by a process that has seen it lead somewhere, and hears of the end with this very look."""
    link, path = await shared(limited), "/v1/invites/{}"
    assert (await limited.client.get(path.format(link.code))).status_code == 200
    runtime: Runtime = counting.state.runtime
    revoking = RevokeInvite(group_id=UUID(link.group_id), sharer_id=link.leader.subject, code=link.code)
    await runtime.tell(revoking)
    answers = [await limited.client.get(path.format(code), headers=LATER) for code in _codes(link)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.headers["ratelimit-policy"] for answer in answers}) == 1


async def test_links_say_nothing_of_a_revoked_one_they_came_by(town: Town) -> None:
    """Whoever reads a link learns the code of the one before it only while that one leads somewhere."""
    link, ben = await shared(town), town.shopper("Ben")
    await ben.post(f"/v1/groups/{link.group_id}/participants", {"invite_code": link.code})
    path = f"/v1/invites/{(await ben.post(f'/v1/groups/{link.group_id}/invites')).json()['code']}"
    assert (await town.nobody.get(path)).json()["parent_code"] == link.code
    await _revoke(link)
    assert (await town.nobody.get(path)).json()["parent_code"] is None


async def test_only_its_sharer_revokes_a_link(town: Town) -> None:
    """To anybody else it is not there, and leads on; the sharer may say it twice."""
    link = await shared(town)
    problem(await town.shopper("Eve").ask("DELETE", f"/v1/invites/{link.code}"), 404, "invite-not-found")
    problem(await link.leader.ask("DELETE", f"/v1/invites/{new_invite_code()}"), 404, "invite-not-found")
    problem(await link.leader.ask("DELETE", "/v1/invites/no.code"), 404, "invite-not-found")
    assert (await town.client.get(link.path)).status_code == 200
    await _revoke(link)
    await _revoke(link)


async def test_nobody_joins_by_a_revoked_link_and_the_next_one_is_new(town: Town) -> None:
    """A join that names it is refused as for any code that leads nowhere; figures say when it was revoked."""
    link = await shared(town)
    await _revoke(link)
    join = await town.shopper("Ben").post(f"/v1/groups/{link.group_id}/participants", {"invite_code": link.code})
    problem(join, 422, "invite-not-usable")
    anew = await link.leader.post(f"/v1/groups/{link.group_id}/invites")
    assert anew.status_code == 201
    told = (await link.leader.get("/v1/me/invites")).json()["items"]
    assert [(one["code"], one["revoked_at"] is None) for one in told] == [
        (anew.json()["code"], True),
        (link.code, False),
    ]


async def test_a_revoked_link_is_nobodys_own_any_more(shop: Shop) -> None:
    """Whoever shows a sharer their link, as the page does after joining, shows none that is revoked."""
    circle = Circle(shop, await shop.live())
    ann = new_id()
    group_id = await circle.opens(ann)
    code = await circle.shares(ann, group_id)
    assert await find_own_link(shop.engine, group_id, ann, "chat") == code
    await shop.tell(RevokeInvite(group_id=group_id, sharer_id=ann, code=code))
    assert await find_own_link(shop.engine, group_id, ann, "chat") is None


async def _revoke(link: Shared) -> None:
    assert (await link.leader.ask("DELETE", f"/v1/invites/{link.code}")).status_code == 204


def _codes(link: Shared) -> tuple[str, str]:
    return link.code, new_invite_code()


def _told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that tells one answer from another, but for the request's own number and what is left to its caller."""
    apart = {"date", "x-request-id", "ratelimit"}
    kept = [(name, value) for name, value in answer.headers.items() if name not in apart]
    return answer.status_code, answer.content, sorted(kept)

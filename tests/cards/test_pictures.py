"""Pictures over HTTP: kept for ever under their present key, drawn once, and there whatever happens to an image."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import httpx
import pytest
import segno
from litestar import Litestar
from PIL import Image

from api.app import create_app
from domain.identity.limits import DRAWN_CARDS, DRAWN_OF_A_LINK
from infra.limits.window import Charge
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import app_with, connected
from tests.api.people import Town, problem
from tests.waiting import eventually


@pytest.fixture
def app(settings: Settings) -> Litestar:
    return app_with(settings)


@pytest.fixture
async def town(app: Litestar, settings: Settings) -> AsyncIterator[Town]:
    async with connected(app) as client:
        yield Town(client, settings)


async def _kit(town: Town, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new group, and what its leader has to share it with."""
    leader = town.shopper("Mia")
    group = await town.open_group(leader, **changes)
    kit = (await leader.post(f"/v1/groups/{group['id']}/invites", {"channel": "whatsapp"})).json()["share"]
    return group, kit


def _path(address: str) -> str:
    return httpx.URL(address).path


async def test_the_kits_pictures_are_there_and_change_with_the_tier(town: Town, app: Litestar) -> None:
    """Card, poster and code as the kit names them; when somebody joins the old card leads to a new one."""
    group, kit = await _kit(
        town, tiers=[{"participants": 2, "unit_price": 900}, {"participants": 4, "unit_price": 700}]
    )
    card, poster, code = (_path(kit[name]) for name in ("card_url", "poster_url", "qr_url"))
    for path, size in ((card, (1_200, 630)), (poster, (1_080, 1_920))):
        answer = await town.nobody.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "image/jpeg"
        assert int(answer.headers["content-length"]) == len(answer.content) < 300_000
        assert Image.open(io.BytesIO(answer.content)).size == size
    svg = await town.nobody.get(code)
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.content == _svg_of(app, code)

    head = await town.nobody.ask("HEAD", card)
    assert (head.status_code, head.content) == (200, b"")
    tagged = {"if-none-match": head.headers["etag"]}
    assert (await town.nobody.get(card, headers=tagged)).status_code == 304

    await town.shopper().post(f"/v1/groups/{group['id']}/participants")
    old = await _moved(town, card)
    assert old.headers["cache-control"] == "no-cache"
    present = _path(old.headers["location"])
    assert present != card
    assert (await town.nobody.get(present)).status_code == 200


async def test_any_other_key_leads_to_the_present_one_in_its_language(town: Town) -> None:
    """Whatever stands there: the language it begins with, else English; group pages have pictures, too."""
    group, kit = await _kit(town)
    for beginning in (_path(kit["card_url"]).rsplit("/", 1)[0], f"/g/{group['id']}/card", f"/g/{group['id']}/poster"):
        for key, language in (
            ("zh-0.jpg", "zh"),
            ("de-", "de"),
            ("x" * 3_000, "en"),
            ("es%0d%0ax: y", "en"),
            ("%00", "en"),
        ):
            there = await town.nobody.get(f"{beginning}/{key}")
            assert there.status_code == 302
            assert _path(there.headers["location"]).startswith(f"{beginning}/{language}-")
        present = await town.nobody.get(f"{beginning}/en-0.jpg", follow_redirects=True)
        assert (present.status_code, present.headers["content-type"]) == (200, "image/jpeg")
    assert (await town.nobody.get(f"/g/{group['id']}/qr.svg")).status_code == 200


async def test_an_unknown_link_has_no_pictures(town: Town) -> None:
    """As it has no page; nothing is drawn for it."""
    for path in ("card/en-0.jpg", "poster/en-0.jpg", "qr.svg"):
        problem(await town.nobody.get(f"/i/AAAAAAAAAAAAAAAA/{path}"), 404, "invite-not-found")
        problem(await town.nobody.get(f"/g/01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10/{path}"), 404, "group-not-found")


async def test_without_its_image_a_card_is_there_and_asked_for_again(town: Town) -> None:
    """An image that leads to this machine is not fetched; the card goes without, and nobody may keep it."""
    _, kit = await _kit(town, image_url="http://127.0.0.1/secret.png")
    card = await town.nobody.get(_path(kit["card_url"]))
    assert card.status_code == 200
    assert card.headers["cache-control"] == "no-store"
    assert "etag" not in card.headers
    again = await town.nobody.get(_path(kit["card_url"]), headers={"if-none-match": "*"})
    assert (again.status_code, again.headers["cache-control"]) == (200, "no-store")


async def test_a_new_card_is_known_where_the_group_is_known_as_it_was(town: Town, settings: Settings) -> None:
    """A process that has seen the group a moment ago does not lead from the new tier's card back to the old one."""
    other_app = create_app(settings)
    async with connected(other_app) as client:
        elsewhere = Town(client, settings)
        group, _ = await _kit(town)
        card = f"/g/{group['id']}/card"
        old = (await elsewhere.nobody.get(f"{card}/en-0.jpg")).headers["location"]
        groups = other_app.state.runtime.groups
        as_it_was = await groups.get(UUID(group["id"]))
        await town.shopper().post(f"/v1/groups/{group['id']}/participants")
        new = (await town.nobody.get(f"{card}/en-0.jpg")).headers["location"]
        assert new != old
        groups.offer([as_it_was])
        assert (await elsewhere.nobody.get(_path(new))).status_code == 200


async def test_hostile_titles_are_drawn(town: Town) -> None:
    """What a merchant may call a deal never costs more than a picture."""
    for title in ("<svg onload=alert(1)>", "茶" * 200, "Z" + "\u0336" * 150, "🍵", "\u200f\u0645\u0631"):
        _, kit = await _kit(town, title=title)
        assert (await town.nobody.get(_path(kit["card_url"]))).status_code == 200


async def test_what_must_be_drawn_is_limited_for_an_address(settings: Settings) -> None:
    """A flood of new posters ends in 429, while kept ones, cards, other addresses and this machine go on."""
    app = create_app(replace(settings, rate_limits=True, trusted_proxies=(ip_network("127.0.0.1"),)))
    async with connected(app) as client:
        town = Town(client, settings)
        group, kit = await _kit(town)
        card, poster = _path(kit["card_url"]), _path(kit["poster_url"])
        flooder = {"x-forwarded-for": "203.0.113.66"}
        assert (await town.nobody.get(poster, headers=flooder)).status_code == 200
        runtime: Runtime = app.state.runtime
        spent = (Charge(DRAWN_OF_A_LINK, "203.0.113.66"),)
        for _ in range(DRAWN_OF_A_LINK.quota - 1):
            await runtime.limiter.take(spent, needs_the_count=False)
        for kept in (poster, card):
            assert (await town.nobody.get(kept, headers=flooder)).status_code == 200
        code = f"/g/{group['id']}/qr.svg"
        refused = await town.nobody.get(code, headers=flooder)
        assert DRAWN_OF_A_LINK.name in problem(refused, 429, "rate-limited")["detail"]
        assert int(refused.headers["retry-after"]) > 0
        for path, headers in ((code, {"x-forwarded-for": "203.0.113.67"}), (_path(kit["qr_url"]), {})):
            assert (await town.nobody.get(path, headers=headers)).status_code == 200
        for _ in range(DRAWN_CARDS.quota):
            await runtime.limiter.take((Charge(DRAWN_CARDS, "203.0.113.66"),), needs_the_count=False)
        german = _path((await town.nobody.get(f"/g/{group['id']}/card/de-0.jpg", headers=flooder)).headers["location"])
        refused = await town.nobody.get(german, headers=flooder)
        assert DRAWN_CARDS.name in problem(refused, 429, "rate-limited")["detail"]
        assert (await town.nobody.get(card, headers=flooder)).status_code == 200


async def _moved(town: Town, path: str) -> httpx.Response:
    """The answer that leads on, once the page's moment of keeping is over."""

    async def answer() -> httpx.Response | None:
        got = await town.nobody.get(path)
        return got if got.status_code == 302 else None

    moved = await eventually(answer, "the card has moved")
    assert moved is not None
    return moved


def _svg_of(app: Litestar, path: str) -> bytes:
    runtime: Runtime = app.state.runtime
    link = runtime.settings.origin + path.removesuffix("/qr.svg")
    drawn = io.BytesIO()
    code = segno.make_qr(link, error="Q", boost_error=False)
    code.save(drawn, kind="svg", border=4, dark="#1d1b20", light="#ffffff", scale=10, omitsize=True)
    return drawn.getvalue()

"""Pictures over HTTP: kept for ever under their present key, drawn once, and there whatever happens to an image."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
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
from infra.cards.artist import Artist
from infra.cards.drawing_turns import CannotDraw
from infra.cards.fetching import ImageFetcher
from infra.cards.lookups import NoThreadLeft
from infra.cards.picture import Picture
from infra.cards.pictures import Bounds, Drawn, Pictures
from infra.cards.picturing import qr_of
from infra.cards.products import MISSED_S, ON_ITS_WAY_S, TOO_COSTLY_S
from infra.cards.shelf import Shelf
from infra.limits.window import Charge
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import app_with, connected
from tests.api.people import Town, problem
from tests.cards.conftest import picture
from tests.cards.image_host import ImageHost, bomb, endless, image_host, png, sent
from tests.waiting import eventually

PATIENT = Bounds(patience_s=20)


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


@pytest.fixture
async def host() -> AsyncIterator[ImageHost]:
    async with image_host() as made:
        yield made


@dataclass
class Clock:
    """Time as it is told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pictures(artist: Artist, host: ImageHost, clock: Clock) -> AsyncIterator[Pictures]:
    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve)
    made = Pictures(artist, fetcher, reducing=artist, bounds=PATIENT, clock=clock)
    yield made
    await made.stop()


async def test_many_who_ask_at_once_have_it_drawn_once(pictures: Pictures, host: ImageHost) -> None:
    """Five hundred fetch a new card together: one image is fetched, one picture drawn, and all have the same."""
    shown = picture(image_url=host.address("/tea.png"))
    drawn = await asyncio.gather(*(pictures.get(shown) for _ in range(500)))
    assert len({id(one) for one in drawn}) == 1
    assert drawn[0].is_whole
    assert len(host.asked) == 1
    assert await pictures.get(picture(image_url=host.address("/tea.png"), title="Another")) != drawn[0]
    assert len(host.asked) == 1


@pytest.mark.parametrize("path", ["/gone", "/page", "/bomb", "/broken"])
async def test_an_image_that_is_none_leaves_a_card_without(
    pictures: Pictures, host: ImageHost, clock: Clock, path: str
) -> None:
    """And the host is not asked again for every card, but after a minute."""
    host.answers |= {"/bomb": sent(bomb()), "/broken": sent(png()[:-30])}
    drawn = await pictures.get(picture(image_url=host.address(path)))
    assert not drawn.is_whole
    assert drawn.content == (await pictures.get(picture())).content
    await pictures.get(picture(image_url=host.address(path), title="Another"))
    assert len(host.asked) == 1
    host.answers[path] = host.answers["/tea.png"]
    clock.now += MISSED_S + 1
    assert (await pictures.get(picture(image_url=host.address(path)))).is_whole


async def test_an_image_that_comes_late_is_on_the_next_card(artist: Artist, host: ImageHost, clock: Clock) -> None:
    """A card waits a moment and goes without; the image is fetched on, and a little later the card has it."""
    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve, timeout_s=20)
    pictures = Pictures(artist, fetcher, reducing=artist, bounds=Bounds(patience_s=0.1), clock=clock)
    shown = picture(image_url=host.address("/late"))
    assert not (await pictures.get(shown)).is_whole
    host.release.set()

    async def whole() -> bool:
        clock.now += ON_ITS_WAY_S + 1
        return (await pictures.get(shown)).is_whole

    assert await eventually(whole, "the card has its image")
    assert len(host.asked) == 1
    clock.now += MISSED_S
    assert not pictures.must_draw(shown)
    await pictures.stop()


async def test_an_image_that_takes_for_ever_to_open_leaves_a_card_without(
    artist: Artist, host: ImageHost, clock: Clock
) -> None:
    """It holds up no drawing and is not opened for every card; another image is, by a new process."""
    host.answers["/costly"] = sent(endless())
    fetcher, reducing = ImageFetcher(may_reach=host.may_reach, resolver=host.resolve), Artist(answer_timeout_s=1)
    pictures = Pictures(artist, fetcher, reducing=reducing, bounds=PATIENT, clock=clock)
    await pictures.get(picture(title="The first"))
    costly = asyncio.create_task(pictures.get(picture(image_url=host.address("/costly"))))
    await eventually(lambda: asyncio.sleep(0, reducing.process_id), "the image is opened")
    assert (await pictures.get(picture())).is_whole
    assert not costly.done()
    assert not (await costly).is_whole
    assert reducing.process_id is None
    clock.now += TOO_COSTLY_S - 1
    assert not (await pictures.get(picture(image_url=host.address("/costly"), title="Another"))).is_whole
    assert len(host.asked) == 1
    await pictures.stop()


async def test_an_image_that_others_were_in_the_way_of_is_tried_again(
    artist: Artist, host: ImageHost, clock: Clock
) -> None:
    """The card is there without its image; that is kept for a moment only, and not as a miss."""
    others = [NoThreadLeft]

    async def resolve(name: str, port: int) -> list[str]:
        if others:
            raise others.pop()
        return await host.resolve(name, port)

    fetcher = ImageFetcher(may_reach=host.may_reach, resolver=resolve)
    pictures = Pictures(artist, fetcher, reducing=artist, bounds=PATIENT, clock=clock)
    shown = picture(image_url=host.address("/tea.png"))
    assert not (await pictures.get(shown)).is_whole
    assert (await pictures.get(picture(image_url=host.address("/tea.png"), title="Another"))).is_whole
    clock.now += ON_ITS_WAY_S + 1
    assert (await pictures.get(shown)).is_whole
    await pictures.stop()


async def test_what_single_links_have_for_themselves_pushes_no_card_out(artist: Artist) -> None:
    """Codes and posters have a shelf of their own, and that has an end."""
    pictures = Pictures(artist, reducing=artist, bounds=Bounds(own_bytes=5_000))
    codes = [qr_of(f"https://tuan.example/i/{number}") for number in range(9)]
    for shown in (picture(), *codes):
        await pictures.get(shown)
    assert not pictures.must_draw(picture())
    assert [pictures.must_draw(code) for code in (codes[0], codes[-1])] == [True, False]
    await pictures.stop()


async def test_whoever_goes_away_takes_nothing_from_the_others(pictures: Pictures) -> None:
    """A caller who hangs up does not stop the drawing that another waits for."""
    shown: Picture = picture()
    gone = asyncio.create_task(pictures.get(shown))
    stays = asyncio.create_task(pictures.get(shown))
    await asyncio.sleep(0)
    gone.cancel()
    assert isinstance(await stays, Drawn)


async def test_a_failure_is_told_to_all_and_not_kept(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started, everybody hears it, and the next one who asks tries anew."""
    with monkeypatch.context() as broken:
        broken.setattr("sys.executable", "/bin/false")
        failed = await asyncio.gather(*(pictures.get(picture()) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(one, CannotDraw) for one in failed)
    assert (await pictures.get(picture())).is_whole


def test_the_shelf_never_holds_more_than_its_bytes() -> None:
    """What was used longest ago goes first, what is too old is gone, and names without content count as well."""
    shelf: Shelf[str] = Shelf(10_000)
    for number in range(1_000):
        shelf.put(f"{number}", "", 100, 60)
        shelf.get("0")
        assert shelf.size_bytes <= 10_000
    assert shelf.get("0") is not None
    assert shelf.get("999") is not None
    assert shelf.get("1") is None
    shelf.put("large", "", 20_000, 60)
    assert shelf.get("large") is None
    assert shelf.get("999") is not None
    shelf.put("old", "", 1, -1)
    assert shelf.get("old") is None

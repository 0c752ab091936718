"""Pictures drawn once and kept, and what becomes of a card whose product's image cannot be had, or not yet."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from infra.cards.artist import Artist
from infra.cards.drawing_turns import CannotDraw
from infra.cards.fetching import ImageFetcher
from infra.cards.lookups import NoThreadLeft
from infra.cards.picture import Picture
from infra.cards.pictures import Bounds, Drawn, Pictures
from infra.cards.picturing import qr_of
from infra.cards.products import MISSED_S, ON_ITS_WAY_S, TOO_COSTLY_S
from infra.cards.shelf import Shelf
from tests.cards.conftest import picture
from tests.cards.image_host import ImageHost, bomb, endless, png, sent
from tests.waiting import eventually

PATIENT = Bounds(patience_s=20)


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

"""Cards and posters: drawn for the first time by the process that draws, and served from memory."""

import asyncio
import io
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import psutil
from PIL import Image

from benchmarks.figures import Figure, Spread, Wanted, percentile
from benchmarks.offers import open_groups
from benchmarks.rounds import WARM_UP_S, compare
from benchmarks.stack import Stack
from benchmarks.wrk import Request
from infra.cards.artist import Artist
from infra.cards.picture import Kind, Mood, Picture, Rung

ROUNDS = 5
PICTURES_PER_ROUND = 20
WITHIN = Wanted(150, 75, "{:.0f} ms", at_most=True)


def card(stack: Stack) -> Figure:  # noqa: ARG001 - parts are given the stack; this one draws beside it
    """Cards that nobody has asked for before."""
    return asyncio.run(_drawn(Kind.CARD, "a card of 1200 x 630, drawn with its product's image"))


def poster(stack: Stack) -> Figure:  # noqa: ARG001 - as above
    """The same for posters."""
    return asyncio.run(_drawn(Kind.POSTER, "a poster of 1080 x 1920 with its QR code, drawn likewise"))


def kept(stack: Stack) -> Figure:
    """A card that is in memory, as the servers of a chat ask for it."""
    path = open_groups(stack.settings)[0].path.replace("/v1/groups", "/g")
    asking = Request("GET", (_present(stack, f"{path}/card/en-0.jpg"),), anonymous=True)
    nothing = Request("GET", (f"{path.replace('/g/', '/v1/groups/')}/nothing",))
    for request in (nothing, asking):
        stack.wrk.run(request, WARM_UP_S)
    what = "GET /g/{id}/card/{key} from memory / authenticated no-op"
    return compare(stack, what, Wanted(0.4, 0.6), lambda: asking, lambda: nothing)


async def _drawn(kind: Kind, what: str) -> Figure:
    """Pictures whose texts nobody has had drawn, after the first one, which starts the process."""
    artist = Artist()
    try:
        product = await artist.reduce(_photo())
        await artist.stop()
        first_ms = await _drawing_ms(artist, _picture(kind, 0), product)
        begun_s = _processor_s(artist)
        rounds = [
            [
                await _drawing_ms(artist, _picture(kind, 1 + number * PICTURES_PER_ROUND + one), product)
                for one in range(PICTURES_PER_ROUND)
            ]
            for number in range(ROUNDS)
        ]
        processor_ms = (_processor_s(artist) - begun_s) * 1_000 / (ROUNDS * PICTURES_PER_ROUND)
        size_kb = len(await artist.draw(_picture(kind, 0), product)) / 1_000
    finally:
        await artist.stop()
    every = [one for taken in rounds for one in taken]
    return Figure(
        what,
        Spread(tuple(statistics.median(taken) for taken in rounds)),
        WITHIN,
        measured=f"p50 {percentile(every, 50):.0f} ms, p99 {percentile(every, 99):.0f} ms, {size_kb:.0f} KB",
        notes=(
            f"{processor_ms:.0f} ms of processor time each",
            f"the first one starts the process and loads its fonts: {first_ms:.0f} ms",
        ),
    )


async def _drawing_ms(artist: Artist, picture: Picture, product: bytes | None) -> float:
    begun = time.perf_counter()
    await artist.draw(picture, product)
    return (time.perf_counter() - begun) * 1_000


def _processor_s(artist: Artist) -> float:
    used = psutil.Process(artist.process_id).cpu_times()
    return used.user + used.system


def _picture(kind: Kind, number: int) -> Picture:
    return Picture(
        kind=kind,
        language="zh",
        link=f"https://tuan.example/i/8WzLFRkGmM{number:06}",
        image_url=None,
        title=f"Jasmine tea 茉莉花茶 {number}, 250 g, from the hills of Fuding",
        merchant="Leaf & Co",
        mood=Mood.OPEN,
        price="$9.00",
        price_label="每件",
        alone="$12.00",
        alone_label="单买价",
        rungs=(Rung("2人", "$9.00", is_reached=True), Rung("4人", "$7.00", is_reached=False)),
        climbed=0.5,
        headline="再来1人 → 每件$7.00",
        aside=f"仅剩{number}个名额",
        slogan="一起买更便宜",
        invitation="扫码参团",
    )


def _photo() -> bytes:
    """An image with as much in it as a photograph has."""
    rough = Image.effect_noise((150, 150), 90).resize((1_500, 1_500), Image.Resampling.BICUBIC).convert("RGB")
    file = io.BytesIO()
    rough.save(file, "JPEG", quality=90)
    return file.getvalue()


def _present(stack: Stack, path: str) -> str:
    """Where an old address of a picture leads."""
    connection = HTTPConnection("127.0.0.1", stack.settings.port, timeout=10)
    try:
        connection.request("GET", path)
        return urlsplit(connection.getresponse().getheader("location", "")).path
    finally:
        connection.close()

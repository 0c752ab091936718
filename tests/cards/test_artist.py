"""The process that draws: started when needed, replaced when it dies, ended with us, never in anybody's way."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time

import msgspec
import psutil
import pytest
from PIL import Image

from infra.cards.artist import Artist
from infra.cards.drawing_turns import CARDS_IN_A_ROW_MAX, WAITING_MAX, CannotDraw, DrawingTurns, Lane
from infra.cards.easel import MEMORY_BYTES_MAX
from infra.cards.orders import Reduce, framed
from infra.cards.picture import Kind
from infra.cards.reducing import SIDE_MAX, reduce
from tests.cards.conftest import picture
from tests.cards.image_host import bomb, endless, png
from tests.waiting import eventually


async def test_a_process_that_dies_is_replaced(artist: Artist) -> None:
    """Killed between two pictures, or while it draws: the next answer is a picture again."""
    first = await artist.draw(picture(), None)
    killed = artist.process_id
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert await artist.draw(picture(), None) == first
    assert artist.process_id != killed
    drawing = asyncio.create_task(artist.draw(picture(Kind.POSTER), None))
    await asyncio.sleep(0)
    assert artist.process_id is not None
    os.kill(artist.process_id, signal.SIGKILL)
    assert (await drawing).startswith(b"\xff\xd8")


async def test_a_process_that_hangs_is_ended() -> None:
    """Whoever waits hears it within the time, and the next picture is drawn by another process."""
    artist = Artist(answer_timeout_s=3)
    first = await artist.draw(picture(), None)
    hung = artist.process_id
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    assert await artist.draw(picture(), None) == first
    assert not psutil.pid_exists(hung)
    await artist.stop()


async def test_too_many_are_told_to_come_back(artist: Artist) -> None:
    """The line has an end, and what is in it is answered; cards have a place when the posters' line is full."""
    room = 1 + WAITING_MAX[Lane.OWN]
    asked = [asyncio.create_task(artist.draw(picture(Kind.QR), None)) for _ in range(room + 3)]
    await asyncio.sleep(0)
    done: list[int] = []
    card = asyncio.create_task(artist.draw(picture(), None))
    card.add_done_callback(lambda _: done.append(sum(one.done() for one in asked)))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, CannotDraw) for answer in answers) == 3
    assert sum(isinstance(answer, bytes) for answer in answers) == room
    assert (await card).startswith(b"\xff\xd8")
    assert done[0] <= 3 + 2  # those who were told, the one at work, and perhaps the one after the card


async def test_cards_go_first_and_posters_do_not_wait_for_ever() -> None:
    """After so many cards in a row a poster has a turn; whoever goes away while waiting holds up nobody."""
    turns, drawn = DrawingTurns(), list[Lane]()

    async def draw(lane: Lane) -> None:
        async with turns.taken(lane):
            drawn.append(lane)
            await asyncio.sleep(0)

    lanes = [Lane.OWN] * 3 + [Lane.CARDS] * (2 * CARDS_IN_A_ROW_MAX)
    waiting = [asyncio.create_task(draw(lane)) for lane in lanes]
    await asyncio.sleep(0)
    gone = [asyncio.create_task(draw(lane)) for lane in Lane]
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    await asyncio.gather(*waiting, *gone, return_exceptions=True)
    in_a_row = [Lane.CARDS] * CARDS_IN_A_ROW_MAX
    assert drawn == [Lane.OWN, *in_a_row, Lane.OWN, *in_a_row, Lane.OWN]
    assert not turns.is_taken


async def test_a_turn_given_to_whoever_goes_away_is_passed_on() -> None:
    """Cancelled in the very moment in which it was given."""
    turns, went_on = DrawingTurns(), asyncio.Event()

    async def draw() -> None:
        async with turns.taken(Lane.CARDS):
            went_on.set()

    async with turns.taken(Lane.CARDS):
        gone, stays = (asyncio.create_task(draw()) for _ in range(2))
        await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(1):
        await stays
    assert gone.cancelled()
    assert not turns.is_taken


async def test_nobody_waits_for_ever() -> None:
    """In a line that does not move one is told to come back, and leaves it."""
    turns = DrawingTurns(wait_s=0.01)
    async with turns.taken(Lane.CARDS):
        for _ in range(WAITING_MAX[Lane.CARDS] + 1):
            with pytest.raises(CannotDraw):
                await asyncio.wait_for(turns.taken(Lane.CARDS).__aenter__(), 5)
    assert not turns.is_taken


async def test_the_process_has_bounds_and_no_secrets(artist: Artist, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens files of strangers: little memory, no file to write, no settings."""
    monkeypatch.setenv("TUAN_SECRET", "of ours")
    await artist.draw(picture(Kind.QR), None)
    easel = psutil.Process(artist.process_id)
    assert easel.rlimit(psutil.RLIMIT_AS) == (MEMORY_BYTES_MAX,) * 2
    assert easel.rlimit(psutil.RLIMIT_FSIZE) == easel.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert not [name for name in easel.environ() if name.startswith(("TUAN", "DATABASE", "REDIS"))]


async def test_whoever_goes_away_while_it_starts_leaves_it_to_the_next(artist: Artist) -> None:
    """A start cannot be stopped half-way: the process is there for who comes next, and ended when it is stopped."""
    for _ in range(2):
        asked = asyncio.create_task(artist.draw(picture(Kind.QR), None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    await artist.draw(picture(Kind.QR), None)
    easels = [one for one in psutil.Process().children() if "infra.cards.easel" in one.cmdline()]
    assert [one.pid for one in easels] == [artist.process_id]
    await artist.stop()
    assert not easels[0].is_running()


def test_an_order_that_does_not_end_ends_the_process() -> None:
    """By itself, should nobody be there any more to kill it."""
    ours, its = socket.socketpair()
    command = [sys.executable, "-m", "infra.cards.easel", str(its.fileno()), "1"]
    with ours, its, subprocess.Popen(command, pass_fds=[its.fileno()]) as easel:
        ours.sendall(framed(Reduce(endless())))
        try:
            assert easel.wait(20) == -signal.SIGALRM
        finally:
            easel.kill()


async def test_nothing_is_left_of_it(artist: Artist) -> None:
    """It ends when it is stopped, when nobody asks for a while, and when whoever asked is killed without a word."""
    await artist.draw(picture(), None)
    first = artist.process_id
    await artist.stop()
    assert artist.process_id is None
    assert first is not None
    assert not psutil.pid_exists(first)
    idle = Artist(answer_timeout_s=20, idle_s=0.05)
    await idle.draw(picture(), None)
    second = psutil.Process(idle.process_id)

    async def is_gone() -> bool:
        return not second.is_running()

    assert await eventually(is_gone, "the process ends")
    assert idle.process_id is None


def test_it_ends_with_a_process_that_is_killed() -> None:
    """No orphan keeps drawing for nobody, and it hears no Ctrl-C."""
    program = (
        "import asyncio, msgspec, sys\n"
        "from infra.cards.artist import Artist\n"
        "from infra.cards.picture import Picture\n"
        "async def main():\n"
        "    artist = Artist(answer_timeout_s=20)\n"
        "    await artist.draw(msgspec.json.decode(sys.argv[1], type=Picture), None)\n"
        "    print(artist.process_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    asked = msgspec.json.encode(picture())
    with subprocess.Popen([sys.executable, "-c", program, asked], stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        easel = psutil.Process(int(asking.stdout.readline()))
        assert os.getsid(easel.pid) == easel.pid
        asking.kill()
    easel.wait(10)


async def test_drawing_holds_up_nothing_else(artist: Artist) -> None:
    """While posters are drawn the event loop turns on: it never stands still for as long as one takes."""
    await artist.draw(picture(), None)
    stood_still_s = 0.0

    async def turn() -> None:
        nonlocal stood_still_s
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0)
            stood_still_s = max(stood_still_s, time.perf_counter() - begun)
            await asyncio.sleep(0.001)

    turning = asyncio.create_task(turn())
    await asyncio.gather(*(artist.draw(picture(Kind.POSTER, title=f"Tea {number}"), None) for number in range(5)))
    turning.cancel()
    assert stood_still_s < 0.05


async def test_images_of_strangers_are_made_small_or_refused(artist: Artist) -> None:
    """What is an image comes back as a small JPEG; bombs, broken and truncated ones do not, and draw on it goes."""
    small = Image.open(io.BytesIO(await artist.reduce(png((3_000, 2_000))) or b""))
    assert small.format == "JPEG"
    assert max(small.size) == SIDE_MAX
    large = io.BytesIO()
    Image.new("1", (5_001, 5_001)).save(large, "PNG")
    assert await artist.reduce(large.getvalue()) is None
    for hostile in (
        bomb(),
        bomb(5_100),
        png()[:60],
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a" + b"\xff" * 50,
    ):
        assert await artist.reduce(hostile) is None
    assert (await artist.draw(picture(), await artist.reduce(png()))).startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("kind", "modes"),
    [("WEBP", "RGB RGBA P L"), ("GIF", "RGB RGBA P L"), ("PNG", "RGB RGBA P L"), ("JPEG", "RGB L CMYK")],
)
def test_every_usual_format_and_colouring_is_read(kind: str, modes: str) -> None:
    """Transparent ones stand on white, and of those that move the first image is taken."""
    for mode in modes.split():
        _read(kind, mode)


def _read(kind: str, mode: str) -> None:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0)).convert(mode)
    file = io.BytesIO()
    image.save(file, kind)
    small = Image.open(io.BytesIO(reduce(file.getvalue())))
    assert (small.size, small.mode) == ((40, 30), "RGB")
    if mode == "RGBA" and kind != "GIF":
        assert small.convert("L").getextrema() == (255, 255)

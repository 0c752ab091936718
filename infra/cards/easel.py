"""The process that draws: `python -m infra.cards.easel FD SECONDS` answers the orders that come over a socket.

It ends when the socket closes, or when an order takes longer than that: whoever asked does not wait any more. It has no
settings, no secrets and no connection but this one, and a bound on its memory: it opens files of strangers.
"""

import contextlib
import io
import os
import resource
import signal
import socket
import sys
from typing import Final

from PIL import Image

from infra.cards.card import draw_card
from infra.cards.orders import LENGTH, Done, Draw, Order, Reduce, decode_order, framed
from infra.cards.picture import Kind, Picture
from infra.cards.poster import draw_poster
from infra.cards.qr import qr_svg
from infra.cards.reducing import BadImage, reduce

MEMORY_BYTES_MAX: Final = 1 << 30
NICENESS: Final = 5
"""Joins come first where the processor is short."""
JPEG_QUALITIES: Final = (84, 62, 34, 12)
PICTURE_BYTES_MAX: Final = 290_000
"""Chats leave larger pictures out."""


def main() -> None:
    """Answer until whoever asks is gone."""
    for limited, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system has each of them
            resource.setrlimit(limited, (limit, limit))
    os.nice(NICENESS)
    descriptor, order_s_max = map(int, sys.argv[1:])
    with socket.socket(fileno=descriptor) as asking, asking.makefile("rb") as orders:
        while (begin := orders.read(LENGTH.size)) and len(begin) == LENGTH.size:
            (length,) = LENGTH.unpack(begin)
            order = decode_order(orders.read(length))
            signal.alarm(order_s_max)  # without a handler it ends the process, in the midst of C code too
            asking.sendall(framed(_done(order)))
            signal.alarm(0)


def _done(order: Order) -> Done:
    match order:
        case Reduce(image):
            try:
                return Done(reduce(image))
            except BadImage as reason:
                return Done(refusal=str(reason))
        case Draw(picture, product):
            return Done(draw(picture, product))


def draw(picture: Picture, product: bytes | None) -> bytes:
    """A picture as it is sent: a JPEG, or the SVG of a bare code."""
    if picture.kind is Kind.QR:
        return qr_svg(picture.link)
    shown = None if product is None else Image.open(io.BytesIO(product), formats=("JPEG",))
    drawn = (draw_card if picture.kind is Kind.CARD else draw_poster)(picture, shown)
    return _small_enough(drawn)


def _small_enough(drawn: Image.Image) -> bytes:
    """As good as fits into `PICTURE_BYTES_MAX`."""
    content = b""
    for quality in JPEG_QUALITIES:
        file = io.BytesIO()
        drawn.save(file, "JPEG", quality=quality, optimize=True, subsampling=0 if quality > 80 else 2)
        content = file.getvalue()
        if len(content) <= PICTURE_BYTES_MAX:
            break
    return content


if __name__ == "__main__":
    main()

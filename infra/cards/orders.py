"""What the process that draws is asked for, and what it answers."""

import struct
from typing import Final

import msgspec

from infra.cards.picture import Picture

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
LENGTH: Final = struct.Struct(">I")


class Draw(msgspec.Struct, frozen=True, tag="draw"):
    """Draw a picture, with the product's image if there is one, as `Reduce` made it."""

    picture: Picture
    product: bytes | None


class Reduce(msgspec.Struct, frozen=True, tag="reduce"):
    """Make a small JPEG of an image of a stranger's."""

    image: bytes


class Done(msgspec.Struct, frozen=True):
    """What was asked for, or why it cannot be."""

    content: bytes = b""
    refusal: str | None = None


Order = Draw | Reduce

_encode: Final = msgspec.msgpack.Encoder().encode
decode_order: Final = msgspec.msgpack.Decoder(Order).decode
decode_done: Final = msgspec.msgpack.Decoder(Done).decode


def framed(message: Order | Done) -> bytes:
    """A message with its length before it."""
    content = _encode(message)
    return LENGTH.pack(len(content)) + content

"""What a picture of a group says, ready to be drawn: nothing else is drawn, so the same words are the same picture."""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

DESIGN: Final = 1
"""Counts up with every change of how pictures look, so that those which are kept somewhere give way."""


class Kind(StrEnum):
    """The card that chats show beside a link, the poster to print or post, the bare QR code."""

    CARD = "card"
    POSTER = "poster"
    QR = "qr"


class Mood(StrEnum):
    """How it stands with the group: still open, succeeded, or closed without a deal."""

    OPEN = "open"
    GOOD = "good"
    OVER = "over"


class Rung(msgspec.Struct, frozen=True, array_like=True):
    """A step of the price ladder: from so many people on, at this price."""

    people: str
    price: str
    is_reached: bool


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture's words, in the language they are written in.

    `price` is what one unit costs, `alone` what it costs without a group, both with their `..._label`. `climbed` is how
    far the group is from the last rung it reached to the next, from 0 to 1. `headline` is what matters most now,
    `aside` what else there is to say. `link` is what the QR code leads to.
    """

    kind: Kind
    language: str
    link: str
    image_url: str | None
    title: str
    merchant: str
    mood: Mood
    price: str
    price_label: str
    alone: str
    alone_label: str
    rungs: tuple[Rung, ...]
    climbed: float
    headline: str
    aside: str
    slogan: str
    invitation: str
    design: int = DESIGN

    @property
    def key(self) -> str:
        """Its part of the address: the language, and a hash of everything that is drawn."""
        return f"{self.language}-{hashlib.blake2b(_encode(self), digest_size=10).hexdigest()}"


_encode: Final = msgspec.json.Encoder().encode

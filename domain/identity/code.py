"""The rules of one-time codes."""

from typing import Final

DIGITS: Final = 6
LIFETIME_S: Final = 600
"""From when it was sent, or sent again."""
TRIES_MAX: Final = 5
"""Guesses at one code that are compared at all: with a million codes, five in 1,000,000 for each code made."""
SAME_FOR_S: Final = 60
"""How long whoever asks again is sent the same code, with the tries that are left."""

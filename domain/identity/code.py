"""The rules of one-time codes."""

from typing import Final

DIGITS: Final = 6
LIFETIME_S: Final = 600
TRIES_MAX: Final = 5
"""Guesses at one code that are compared at all: with a million codes, five in 1,000,000 for each code sent."""

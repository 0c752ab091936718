"""What is held at joining and what becomes of the hold at closing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settlement:
    """A hold split at closing, minor units; `capture_minor + release_minor` is always the whole hold."""

    hold_minor: int
    capture_minor: int
    release_minor: int


def hold_for(ceiling_price: int, quantity: int) -> int:
    """The hold at joining: ceiling price x quantity, minor units."""
    return ceiling_price * quantity


def settle(hold_minor: int, quantity: int, final_unit_price: int | None) -> Settlement:
    """Split a hold: the final price x quantity is captured, the rest released; without a final price all of it.

    Raises `ValueError` where the capture would exceed the hold: that is a fault of ours, never of the caller.
    """
    capture_minor = 0 if final_unit_price is None else final_unit_price * quantity
    if not 0 <= capture_minor <= hold_minor:
        message = f"a capture of {capture_minor} does not fit a hold of {hold_minor}"
        raise ValueError(message)
    return Settlement(hold_minor, capture_minor, hold_minor - capture_minor)

"""Addresses and numbers that nobody has used before."""


def from_address(address: str) -> dict[str, str]:
    """The header in which the proxy says where a request came from."""
    return {"x-forwarded-for": address}


def address(number: int) -> str:
    """One of many addresses."""
    return f"198.51.{number // 250}.{number % 250}"


def phone(number: int) -> dict[str, str]:
    """A phone in a block of its own: no two of these share their first digits."""
    return {"phone": f"+86138{number:03}00000"}


def neighbour(number: int) -> dict[str, str]:
    """A phone in one and the same block."""
    return {"phone": f"+44791112{number:04}"}

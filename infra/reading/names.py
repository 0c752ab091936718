"""What others are shown of a shopper."""

from hashlib import blake2b
from uuid import UUID

_NUMBER_BYTES = 2


def shown_name(display_name: str | None, shopper_id: UUID) -> str:
    """The name a shopper gave, else a neutral one: always the same, and the id cannot be told from it."""
    if display_name is not None:
        return display_name
    return f"Shopper {blake2b(shopper_id.bytes, digest_size=_NUMBER_BYTES).hexdigest().upper()}"

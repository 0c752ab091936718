"""What others are shown of a shopper."""

from hashlib import blake2b
from uuid import UUID

_NUMBER_BYTES = 2

Profile = tuple[str | None, str | None]
"""An account's name and picture."""


def name_now(profile: Profile | None, name_then: str | None) -> str | None:
    """What an account is called now, also where that is nothing; without an account the name given at joining."""
    return name_then if profile is None else profile[0]


def shown_name(display_name: str | None, shopper_id: UUID) -> str:
    """The name a shopper gave, else a neutral one: always the same, and the id cannot be told from it."""
    if display_name is not None:
        return display_name
    return f"Shopper {blake2b(shopper_id.bytes, digest_size=_NUMBER_BYTES).hexdigest().upper()}"

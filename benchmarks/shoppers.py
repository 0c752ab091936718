"""Shoppers: access tokens minted beforehand, one a line, each for a subject of its own."""

from pathlib import Path
from uuid import uuid4

from infra.settings import Settings
from infra.tokens import TokenIssuer

LIFETIME_S = 24 * 3600
_SHOPPER = frozenset({"shopper"})


def mint(settings: Settings, count: int, file: Path) -> None:
    """Write tokens that the API at these settings accepts."""
    issuer = TokenIssuer(settings)
    with file.open("w") as lines:
        lines.writelines(f"{issuer.issue(uuid4(), _SHOPPER, LIFETIME_S)}\n" for _ in range(count))


def token_for_one(settings: Settings) -> str:
    """A token of a new shopper."""
    return TokenIssuer(settings).issue(uuid4(), _SHOPPER, LIFETIME_S)

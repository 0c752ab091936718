"""Kinds of notices as statements and constraints name them."""

from collections.abc import Collection
from typing import Final

from domain.notices.kinds import GATHERED, OF_OPEN_GROUPS, OF_PAYMENTS, Kind


def _listed(kinds: Collection[Kind]) -> str:
    """In the order in which they are declared."""
    names = ", ".join(f"'{kind}'" for kind in Kind if kind in kinds)
    return f"({names})"


ALL_KINDS: Final = _listed(frozenset(Kind))
GATHERED_KINDS: Final = _listed(GATHERED)
KINDS_OF_OPEN_GROUPS: Final = _listed(OF_OPEN_GROUPS)
KINDS_OF_PAYMENTS: Final = _listed(OF_PAYMENTS)

"""The tree of everything the domain can say no with.

DomainError
├── InvalidInput        the values given cannot form the thing (field problems inside)
└── Refusal             the thing asked is well formed, but the rules say no (see domain.groupbuy.errors)
"""

from collections.abc import Iterable
from dataclasses import dataclass


class DomainError(Exception):
    """Anything the domain refuses."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: its path as the caller wrote it (`tiers[1].unit_price`) and what it must be."""

    field: str
    message: str


class InvalidInput(DomainError):  # noqa: N818 - refusals are named after what is the matter
    """Values that cannot form a valid thing, each wrong field named."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in self.problems))


class Refusal(DomainError):  # noqa: N818 - refusals are named after what is the matter
    """A well-formed request the rules say no to; `str()` of it is a sentence a person can act on."""


class FieldProblems:
    """Collects field problems while a value is checked, and raises them together."""

    def __init__(self) -> None:
        self._found: list[FieldProblem] = []

    def require(self, holds: bool, field: str, message: str) -> bool:  # noqa: FBT001 - reads as a sentence: require(it holds, of what, else say)
        """Note a problem unless `holds`; answers `holds`."""
        if not holds:
            self._found.append(FieldProblem(field, message))
        return holds

    def raise_if_any(self) -> None:
        """Raise `InvalidInput` when a problem was noted."""
        if self._found:
            raise InvalidInput(self._found)

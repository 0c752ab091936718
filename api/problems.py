"""Problem details (RFC 9457): what every refusal looks like from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from api.answers import Answer, Headers, encode
from infra.identity.needs import Need
from infra.views import GroupView

PROBLEM_JSON = b"application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its stable `slug`, a title that never changes with the occasion, and its status."""

    status: int
    slug: str
    title: str

    @property
    def uri(self) -> str:
        """What `type` says; also an address that explains it."""
        return f"/problems/{self.slug}"


class FieldError(msgspec.Struct, frozen=True):
    """A wrong field: its path as the caller wrote it (`tiers[1].unit_price`) and what it must be."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refusal; `detail` is a sentence to act on, `instance` names one fault of ours in the log.

    `joinable_groups` are other groups of the deal, where a payment came too late for one; `needed_for` is what keeps an
    account from being deleted.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    instance: str | None = None
    joinable_groups: list[GroupView] = []
    needed_for: list[Need] = []


def problem_answer(  # noqa: PLR0913 - the members a problem may have
    kind: ProblemType,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    instance: str | None = None,
    joinable_groups: list[GroupView] | None = None,
    needed_for: Sequence[Need] | None = None,
    headers: Headers = (),
) -> Answer:
    """A refusal as it is sent."""
    problem = Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=errors or [],
        instance=instance,
        joinable_groups=joinable_groups or [],
        needed_for=list(needed_for or ()),
    )
    return Answer(kind.status, encode(problem), headers, PROBLEM_JSON)

"""The sliding window: what it is charged for, and what comes of it.

A window is cut into `SLOTS` slots and the running one counts too, so that never more than a policy's quota passes in
any window of its length, wherever it begins; what was used comes back up to one slot late.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.identity.limits import Policy

SLOTS = 10


class Charge(NamedTuple):
    """One request, counted for somebody; `whose` is their name in the count."""

    policy: Policy
    whose: str

    @property
    def key(self) -> str:
        """Where it is counted: under one tag, so that a cluster keeps all that one script touches in one place."""
        return f"{{limits}}:{self.policy.name}:{self.whose}"


class Allowance(NamedTuple):
    """What is left of a policy, and in how many seconds there will be more."""

    policy: Policy
    remaining: int
    more_in_s: int


class Ruling(NamedTuple):
    """Whether a request passes; only then it was counted, for all of its policies."""

    passes: bool
    allowances: tuple[Allowance, ...]

    @property
    def exhausted(self) -> Allowance:
        """Of a request that does not pass: the policy to wait longest for."""
        return max((one for one in self.allowances if not one.remaining), key=lambda one: one.more_in_s)


def slot_ms(policy: Policy) -> int:
    """How long a slot is; ten of them are never shorter than the window."""
    return -(-policy.window_s * 1_000 // SLOTS)


def ruling_of(charges: Sequence[Charge], *, passes: bool, used: Sequence[int], more_in_ms: Sequence[int]) -> Ruling:
    """The ruling over charges of which so much is used up now."""
    counted = zip(charges, used, more_in_ms, strict=True)
    allowances = (
        Allowance(charge.policy, max(0, charge.policy.quota - so_many), -(-ms // 1_000))
        for charge, so_many, ms in counted
    )
    return Ruling(passes, tuple(allowances))

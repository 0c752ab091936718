"""Every named way the rules of who may do what say no.

Refusal (domain.errors)
├── NotFound             what was named is not there, or not this caller's to see
│   ├── MerchantNotFound, StaffNotFound, StaffInviteNotFound, ApiKeyNotFound
└── Conflict             the thing asked cannot be done in the state things are in
    ├── StandingNotPossible, LastOwner
    └── TooManyMerchants, TooManyStaff, TooManyStaffInvites, TooManyApiKeys
"""

from uuid import UUID

from domain.errors import Refusal
from domain.identity.permissions import Standing


class NotFound(Refusal):
    """What was named is not there, or not this caller's to see."""


class MerchantNotFound(NotFound):
    """No such merchant for this caller."""

    def __init__(self, merchant_id: UUID) -> None:
        super().__init__(f"There is no merchant {merchant_id} you can see or work for.")


class StaffNotFound(NotFound):
    """Nobody of this id works for the merchant."""

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"{account_id} does not work for this merchant.")


class StaffInviteNotFound(NotFound):
    """No open invite of this id for this caller."""

    def __init__(self, invite_id: UUID) -> None:
        super().__init__(
            f"There is no open invite {invite_id} for you. Sign in with the phone number or address that was invited."
        )


class ApiKeyNotFound(NotFound):
    """The merchant has no key of this id."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(f"This merchant has no API key {key_id} that could be revoked.")


class Conflict(Refusal):
    """The thing asked cannot be done in the state things are in."""


class StandingNotPossible(Conflict):
    """A merchant that stands here cannot come to stand there."""

    def __init__(self, before: Standing, after: Standing) -> None:
        super().__init__(f"A merchant that is {before} cannot be {after}.")


class LastOwner(Conflict):
    """A merchant is never without an owner."""

    def __init__(self) -> None:
        super().__init__("A merchant must keep an owner. Make somebody else an owner first.")


class TooManyMerchants(Conflict):
    """An account works for only so many merchants."""

    def __init__(self, merchants_max: int) -> None:
        super().__init__(f"One account can work for {merchants_max} merchants. Leave one of them first.")


class TooManyStaff(Conflict):
    """A merchant has only so many staff."""

    def __init__(self, staff_max: int) -> None:
        super().__init__(f"A merchant can have {staff_max} people. Remove somebody first.")


class TooManyStaffInvites(Conflict):
    """A merchant invites only so many people a day."""

    def __init__(self, invites_max: int) -> None:
        super().__init__(f"A merchant can invite {invites_max} people in 24 hours. Invite the others tomorrow.")


class TooManyApiKeys(Conflict):
    """A merchant has only so many keys."""

    def __init__(self, keys_max: int) -> None:
        super().__init__(f"A merchant can have {keys_max} API keys that are not revoked. Revoke one first.")

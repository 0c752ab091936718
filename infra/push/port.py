"""What every push service is asked, and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeAlias
from uuid import UUID

TITLE_BYTES_MAX: Final = 200
BODY_BYTES_MAX: Final = 1_200
"""What more there is a phone does not show; twice both, as JSON may have it, leave room below what services take."""
PAYLOAD_BYTES_MAX: Final = 4_096
"""Of Apple's and Google's services alike."""


class Push(NamedTuple):
    """What one device is to show; sent again it has the same `id`.

    Of two with one `collapse_id` (ASCII, 64 bytes at most) a phone shows the later only. `data` is for the app,
    `unread` stands on its icon; after `good_for_s` the push is of no use.
    """

    id: UUID
    token: str
    title: str
    body: str
    collapse_id: str
    data: Mapping[str, str]
    good_for_s: int
    unread: int
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The service has it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The token reaches nothing; `since` is when that was found out, where the service says."""

    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """The service is away, busy, or lets us in no more; `rest_s` is what it asks for. `why` names no device.

    With `is_of_one` it is so for this device or address only, and says nothing about the others.
    """

    why: str
    rest_s: float | None = None
    is_of_one: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """This push will never be taken. `why` names no device."""

    why: str


Outcome: TypeAlias = Sent | Gone | Later | Refused


class PushGateway(Protocol):
    """One service."""

    async def send(self, push: Push) -> Outcome:
        """Hand a push over; what goes wrong is an answer, too."""

    async def close(self) -> None:
        """Give connections back."""


def shortened(text: str, bytes_max: int) -> str:
    """As much of a text as has room, with an ellipsis where that is not all."""
    if len(text.encode()) <= bytes_max:
        return text
    ellipsis = "…"
    return text.encode()[: bytes_max - len(ellipsis.encode())].decode(errors="ignore").rstrip() + ellipsis

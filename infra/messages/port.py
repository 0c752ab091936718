"""What every way of sending messages does."""

from typing import NamedTuple, Protocol

from infra.identity.codes import Recipient


class Message(NamedTuple):
    """A short text for somebody; `code` is the one-time code in it, `lifetime_s` how long it is good for."""

    recipient: Recipient
    text: str
    code: str
    lifetime_s: int


class MessageNotSent(Exception):  # noqa: N818 - named after what happened
    """The gateway did not take the message: it is away, or says no."""


class MessageGateway(Protocol):
    """Sends messages over one channel, or several."""

    async def send(self, message: Message) -> None:
        """Hand a message over; raises `MessageNotSent`."""

    async def close(self) -> None:
        """Give connections back."""

"""What every way of sending messages does."""

from typing import NamedTuple, Protocol

from infra.identity.codes import Recipient


class Message(NamedTuple):
    """A short plain text for somebody; `code` is the one-time code in it, if any, `subject` what a letter is headed.

    A letter that is sent again has the same `id`; `no_more_link` ends letters like it.
    """

    recipient: Recipient
    text: str
    subject: str = "Tuan"
    code: str = ""
    id: str = ""
    no_more_link: str = ""


class MessageNotSent(Exception):  # noqa: N818 - named after what happened
    """The gateway did not take the message: it is away, or says no; `str()` of it says why, without the message.

    `is_final` where it says no to this recipient, or this message, once and for all; `is_of_recipient` where another
    recipient may have been taken.
    """

    def __init__(self, why: str, *, is_final: bool = False, is_of_recipient: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final
        self.is_of_recipient = is_of_recipient


class MessageGateway(Protocol):
    """Sends messages over one channel, or several."""

    async def send(self, message: Message) -> None:
        """Hand a message over; raises `MessageNotSent`."""

    async def close(self) -> None:
        """Give connections back."""

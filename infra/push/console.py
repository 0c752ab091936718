"""Pushes at home: shown where codes are, so that whoever tries Tuan out sees what a phone would."""

from typing import Final

from infra.messages.console import ConsoleMessages
from infra.messages.port import MessageNotSent
from infra.push.port import Later, Outcome, Push, Sent

TOKEN_CHARACTERS_SHOWN: Final = 12


class ConsolePush:
    """In the place of one platform's service."""

    def __init__(self, console: ConsoleMessages, platform: str) -> None:
        self._console = console
        self._platform = platform

    async def send(self, push: Push) -> Outcome:
        try:
            await self._console.show(
                f"{self._platform} {push.token[:TOKEN_CHARACTERS_SHOWN]}", f"{push.title}: {push.body}"
            )
        except MessageNotSent as error:
            return Later(str(error))
        return Sent()

    async def close(self) -> None:
        return

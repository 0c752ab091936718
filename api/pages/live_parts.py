"""The parts of a page that change, as events of its live stream: made once for all who watch a group in a language.

    id: 7
    data: <p class="price">...       the new inside of the page's live part; a line of HTML is a line of data

When the group is closed, `event: closed` follows and tells htmx to hang up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from api.pages.group_html import Shows, live_part
from domain.sharing.language import Language
from infra.live import Seen
from infra.sharing.landing import Landing
from infra.sharing.landings import Landings
from infra.unavailable import Unavailable
from infra.views import GroupView

PARTS_MAX: Final = 2_000
_decode = msgspec.json.Decoder(GroupView).decode
_Key = tuple[UUID, Language]


class _Part(NamedTuple):
    version: int
    frame: "bytes | asyncio.Task[bytes]"


class LiveParts:
    """The newest part of each group that is watched here, per language."""

    def __init__(self, landings: Landings) -> None:
        self._landings = landings
        self._parts: OrderedDict[_Key, _Part] = OrderedDict()

    def teller(self, opened: Landing, language: Language) -> Callable[[Seen], bytes | Awaitable[bytes]]:
        """What tells one watcher a state; `opened` stands in while nothing newer can be read."""
        return partial(self._tell, opened, language)

    def _tell(self, opened: Landing, language: Language, seen: Seen) -> bytes | Awaitable[bytes]:
        key = (opened.group.id, language)
        part = self._parts.get(key)
        if part is None or part.version < seen.version:
            part = self._parts[key] = _Part(seen.version, asyncio.create_task(self._make(key, opened, seen)))
            if len(self._parts) > PARTS_MAX:
                self._parts.popitem(last=False)
            self._parts.move_to_end(key)
        # One that goes away must not take the others' part with it.
        return part.frame if isinstance(part.frame, bytes) else asyncio.shield(part.frame)

    async def _make(self, key: _Key, opened: Landing, seen: Seen) -> bytes:
        """The part; one that could not be made is made anew for whoever asks next."""
        try:
            frame = frame_of(seen, live_part(await self._shows(opened, _decode(seen.document)), key[1]))
        except BaseException:
            self._parts.pop(key, None)
            raise
        kept = self._parts.get(key)
        if kept is not None and kept.version == seen.version:
            self._parts[key] = _Part(seen.version, frame)
        return frame

    async def _shows(self, opened: Landing, group: GroupView) -> Shows:
        """What to show of a state; while PostgreSQL is away what stood around the group when it was opened."""
        with suppress(Unavailable):
            landing = await self._landings.around(group, waits=True)
            if landing is not None:
                return Shows(landing, *await self._landings.where_else(landing))
        return Shows(msgspec.structs.replace(opened, group=group, invite=None), [], [])


def frame_of(seen: Seen, part: bytes) -> bytes:
    """A state as its event; line ends in what people wrote are no more than those of HTML."""
    lines = b"\n".join(b"data: " + line for line in part.replace(b"\r", b"\n").split(b"\n") if line)
    state = b"id: %d\n%b\n\n" % (seen.version, lines)
    return state + b"id: %d\nevent: closed\ndata: closed\n\n" % seen.version if seen.is_closed else state

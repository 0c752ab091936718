"""Values kept for a moment: what many ask for at once is looked up once, and never shown when it is older."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from infra.gathering import Gathering

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Kept(NamedTuple, Generic[Value]):
    value: Value
    asked_at: float


class Recent(Generic[Key, Value]):
    """Values by key, each at most `kept_s` old from the question on; the one looked up longest ago goes first.

    A value equal to the one before it is the one before it, so whoever made something of it sees that nothing changed.
    What was not found is not kept.
    """

    def __init__(
        self, fetch: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]], *, kept_s: float, keys_max: int
    ) -> None:
        self._fetch = fetch
        self._gathering = Gathering(self._look_up)
        self._kept: OrderedDict[Key, _Kept[Value]] = OrderedDict()
        self._kept_s = kept_s
        self._keys_max = keys_max

    async def get(self, key: Key, age_s_max: float | None = None) -> Value | None:
        """The value of a key, at most so old; None where there is none. Raises what the look-up raises."""
        kept = self._kept.get(key)
        allowed_s = self._kept_s if age_s_max is None else age_s_max
        if kept is not None and time.monotonic() - kept.asked_at <= allowed_s:
            return kept.value
        return await self._gathering.get(key)

    def age_s(self, key: Key) -> float | None:
        """How old the kept value is; None where none is kept."""
        kept = self._kept.get(key)
        return None if kept is None else time.monotonic() - kept.asked_at

    async def _look_up(self, keys: list[Key]) -> Mapping[Key, Value]:
        asked_at = time.monotonic()
        found = await self._fetch(keys)
        return {key: value for key in keys if (value := self._keep(key, found.get(key), asked_at)) is not None}

    def _keep(self, key: Key, value: Value | None, asked_at: float) -> Value | None:
        before = self._kept.pop(key, None)
        if value is None:
            return None
        if before is not None and before.value == value:
            value = before.value
        self._kept[key] = _Kept(value, asked_at)
        while len(self._kept) > self._keys_max:
            self._kept.popitem(last=False)
        return value

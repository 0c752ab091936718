"""The same window in this process's memory, for what goes on while Redis is away."""

from collections import OrderedDict

from infra.limits.window import SLOTS, Charge, Ruling, ruling_of, slot_ms

KEYS_MAX = 50_000


class WindowsInMemory:
    """Counts the requests of one process; those not seen for longest are forgotten first."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._counted: OrderedDict[str, dict[int, int]] = OrderedDict()

    def take(self, charges: tuple[Charge, ...], now_ms: int) -> Ruling:
        """Charge a request, for all of its policies or none."""
        used, more_in_ms = [], []
        for charge in charges:
            length = slot_ms(charge.policy)
            running = now_ms // length
            slots = self._slots_of(charge.key, running)
            used.append(sum(slots.values()))
            more_in_ms.append((min(slots, default=running) + SLOTS + 1) * length - now_ms)
        passes = all(so_many < charge.policy.quota for charge, so_many in zip(charges, used, strict=True))
        if passes:
            self._count(charges, now_ms)
            used = [so_many + 1 for so_many in used]
        return ruling_of(charges, passes=passes, used=used, more_in_ms=more_in_ms)

    def _slots_of(self, key: str, running: int) -> dict[int, int]:
        """What counts now; the rest is forgotten."""
        slots = self._counted.get(key, {})
        for slot in [slot for slot in slots if not running - SLOTS <= slot <= running]:
            del slots[slot]
        return slots

    def _count(self, charges: tuple[Charge, ...], now_ms: int) -> None:
        for charge in charges:
            slots = self._counted.setdefault(charge.key, {})
            self._counted.move_to_end(charge.key)
            running = now_ms // slot_ms(charge.policy)
            slots[running] = slots.get(running, 0) + 1
        while len(self._counted) > self._keys_max:
            self._counted.popitem(last=False)

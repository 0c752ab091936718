"""The limiter's script: several windows looked at and charged at once, all of them or none, by Redis's own clock.

KEYS: one hash per charge, from a slot's number to the requests that passed in it. ARGV: quota and slot length (ms) of
each. Answers: whether it passes, then for each charge what is used and in how many ms the oldest slot leaves.
"""

from hashlib import sha1
from typing import Final

from infra.limits.window import SLOTS, Charge, Ruling, ruling_of, slot_ms
from infra.redis_together import Command

TAKE: Final = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {{1}}
for i, key in ipairs(KEYS) do
  local quota, length = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local running = math.floor(now / length)
  local oldest, used = running, 0
  local counted = redis.call('HGETALL', key)
  for j = 1, #counted, 2 do
    local slot = tonumber(counted[j])
    if slot < running - {SLOTS} or slot > running then
      redis.call('HDEL', key, counted[j])
    else
      used = used + tonumber(counted[j + 1])
      oldest = math.min(oldest, slot)
    end
  end
  if used >= quota then answer[1] = 0 end
  answer[2 * i], answer[2 * i + 1] = used, (oldest + {SLOTS} + 1) * length - now
end
if answer[1] == 1 then
  for i, key in ipairs(KEYS) do
    local length = tonumber(ARGV[2 * i])
    redis.call('HINCRBY', key, math.floor(now / length), 1)
    redis.call('PEXPIRE', key, {SLOTS + 1} * length)
    answer[2 * i] = answer[2 * i] + 1
  end
end
return answer
"""

_SHA: Final = sha1(TAKE.encode(), usedforsecurity=False).hexdigest()


def taking(charges: tuple[Charge, ...]) -> Command:
    """The command that charges a request."""
    keys = [charge.key for charge in charges]
    numbers = [number for charge in charges for number in (charge.policy.quota, slot_ms(charge.policy))]
    return ("EVALSHA", _SHA, len(keys), *keys, *numbers)


def told(charges: tuple[Charge, ...], answer: list[int]) -> Ruling:
    """What the script answered, in words."""
    return ruling_of(charges, passes=bool(answer[0]), used=answer[1::2], more_in_ms=answer[2::2])

"""Limits at the door: every request is counted once its caller is known, before its body is read.

What an account or an address has left is told on the answer (`RateLimit-Policy` and `RateLimit`, RFC 9651 lists, as
draft-ietf-httpapi-ratelimit-headers-11 has them). What a phone number has left is nobody's business but its owner's.
"""

import hashlib
from functools import lru_cache
from typing import Final

from api.access import api_key_of, authorise, caller_if_known
from api.client_address import client_of
from api.refused import RateLimited
from api.requests import AnyRequest, runtime_of
from domain.identity.limits import (
    NEEDS_THE_COUNT,
    POLICIES,
    UNKNOWN_KEYS,
    UNKNOWN_LINKS,
    Policy,
    RouteClass,
    Whose,
    prefix_of,
)
from infra.identity.codes import Channel, Recipient
from infra.identity.recipients import counted_as
from infra.limits.window import Allowance, Charge, Ruling

POLICY_SETS_REMEMBERED_MAX = 256
_TOLD: Final = frozenset({Whose.ACCOUNT, Whose.ADDRESS})


async def admit(request: AnyRequest) -> None:
    """Let a request through to its handler, or raise who may not call it, or `RateLimited`: refused calls count too."""
    await _limit_unknown_key(request)
    try:
        await authorise(request)
    finally:
        route_class: RouteClass | None = request.scope["route_handler"].opt.get("limits")
        if route_class is not None:
            await _limit(request, route_class)


async def limit_recipient(request: AnyRequest, recipient: Recipient) -> None:
    """Count a message that somebody we do not know asks us to send; raises `RateLimited`."""
    if not runtime_of(request).settings.rate_limits:
        return
    counted, client = counted_as(recipient), client_of(request)
    names = {Whose.RECIPIENT: _unreadable(counted)}
    if not client.is_here:
        names[Whose.PAIR] = _unreadable(f"{counted}\0{client.name}")
    if recipient.channel is Channel.PHONE:
        names[Whose.PREFIX] = prefix_of(counted)
    await _take(request, RouteClass.CODES, names)


def _unreadable(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


async def limit_refresh(request: AnyRequest) -> None:
    """Count a refresh token that a page is about to look up; raises `RateLimited`."""
    if runtime_of(request).settings.rate_limits:
        await _limit(request, RouteClass.REFRESH)


async def limit_visitor(request: AnyRequest) -> None:
    """Count a page's request for whoever is signed in there: at the door nobody knew; raises `RateLimited`."""
    caller = caller_if_known(request)
    route_class: RouteClass | None = request.scope["route_handler"].opt.get("limits")
    if caller is not None and route_class is not None and runtime_of(request).settings.rate_limits:
        await _take(request, route_class, {Whose.ACCOUNT: str(caller.subject)})


async def limit_unknown_link(request: AnyRequest, code: str) -> None:
    """Count a link's code that would have to be looked up; raises `RateLimited`, also where it would lead somewhere."""
    runtime = runtime_of(request)
    if not runtime.settings.rate_limits or runtime.landings.links.has_been_good(code):
        return
    client = client_of(request)
    if not client.is_here:
        await _charge(request, (Charge(UNKNOWN_LINKS, client.name),), needs_the_count=False)


async def limit_drawing(request: AnyRequest, policy: Policy) -> None:
    """Count a picture that would have to be drawn; raises `RateLimited`."""
    client = client_of(request)
    if runtime_of(request).settings.rate_limits and not client.is_here:
        await _charge(request, (Charge(policy, client.name),), needs_the_count=False)


async def _limit_unknown_key(request: AnyRequest) -> None:
    """Count an API key that would have to be looked up: made-up ones reach PostgreSQL no more often than this."""
    key = api_key_of(request)
    if key is None or runtime_of(request).api_keys.has_been_good(key):
        return
    client = client_of(request)
    if not client.is_here:
        await _charge(request, (Charge(UNKNOWN_KEYS, client.name),), needs_the_count=False)


async def _limit(request: AnyRequest, route_class: RouteClass) -> None:
    """Count a request; who asks from this machine itself is not limited by address: a proxy says for whom it asks."""
    client = client_of(request)
    names = {} if client.is_here else {Whose.ADDRESS: client.name}
    caller = caller_if_known(request) if "caller" in request.scope else None
    if caller is not None:
        names[Whose.ACCOUNT] = str(caller.subject)
    await _take(request, route_class, names)


async def _take(request: AnyRequest, route_class: RouteClass, names: dict[Whose, str]) -> None:
    policies = POLICIES[route_class]
    charges = tuple(Charge(policy, names[policy.whose]) for policy in policies if policy.whose in names)
    needs_the_count = route_class in NEEDS_THE_COUNT
    if charges or needs_the_count:  # without a charge the limiter says whether it could count the next thing
        await _charge(request, charges, needs_the_count=needs_the_count)


async def _charge(request: AnyRequest, charges: tuple[Charge, ...], *, needs_the_count: bool) -> None:
    ruling = await runtime_of(request).limiter.take(charges, needs_the_count=needs_the_count)
    _tell(request, ruling)
    if not ruling.passes:
        raise RateLimited(ruling.exhausted)


def _tell(request: AnyRequest, ruling: Ruling) -> None:
    """Leave the headers where the answer finds them."""
    told = [one for one in ruling.allowances if one.policy.whose in _TOLD]
    if told:
        request.scope["rate_limit"] = (  # type: ignore[typeddict-unknown-key]  # ours, see api.response_headers
            (b"ratelimit-policy", _policies(tuple(one.policy for one in told))),
            (b"ratelimit", ", ".join(map(_left, told)).encode()),
        )


@lru_cache(POLICY_SETS_REMEMBERED_MAX)
def _policies(policies: tuple[Policy, ...]) -> bytes:
    return ", ".join(f'"{policy.name}";q={policy.quota};w={policy.window_s}' for policy in policies).encode()


def _left(one: Allowance) -> str:
    return f'"{one.policy.name}";r={one.remaining};t={one.more_in_s}'

"""The caller's own account and sessions."""

from datetime import datetime
from uuid import UUID

import msgspec

from api.access import caller_of
from api.answers import PRIVATE, Answer, NothingToSay, answered, encode, resource
from api.refused import AccountNotFound, SessionNotFound
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from infra.identity.sessions import Ending, end_sessions, sign_out
from infra.reading.sessions import get_account, list_sessions


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in on one device; `is_this` is the one that asks."""

    id: UUID
    device: str | None
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    is_this: bool


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions, the one used last first."""

    items: list[SessionView]


@route("GET", "/v1/me")
async def read_me(request: AnyRequest) -> Answer:
    account = await get_account(runtime_of(request).engine, caller_of(request).subject)
    if account is None:
        raise AccountNotFound
    return resource(request, encode(account), account.version, is_private=True)


@route("GET", "/v1/me/sessions")
async def sessions(request: AnyRequest) -> Answer:
    caller = caller_of(request)
    rows = await list_sessions(runtime_of(request).engine, caller.subject)
    items = [SessionView(**msgspec.structs.asdict(row), is_this=row.id == caller.session_id) for row in rows]
    return answered(Sessions(items=items), headers=PRIVATE)


@route("DELETE", "/v1/me/sessions")
async def sign_out_everywhere(request: AnyRequest) -> Answer:
    """Every session ends, this one too, and no access token given out so far counts any more."""
    runtime, caller = runtime_of(request), caller_of(request)
    async with runtime.engine.begin() as connection:
        ended = await end_sessions(connection, caller.subject, Ending.SIGNED_OUT_EVERYWHERE, asked_with=caller)
    runtime.revocations.learn(ended.revoked)
    return NothingToSay()


@route("DELETE", "/v1/me/sessions/{session_id}")
async def end_session(request: AnyRequest) -> Answer:
    runtime, session_id = runtime_of(request), path_id(request, "session_id")
    async with runtime.engine.begin() as connection:
        ended = await end_sessions(connection, caller_of(request).subject, Ending.SIGNED_OUT, session_id)
    if not ended.session_ids:
        raise SessionNotFound(session_id)
    runtime.revocations.learn(ended.revoked)
    return NothingToSay()


@route("POST", "/v1/sign-out")
async def sign_out_here(request: AnyRequest) -> Answer:
    """The session of the access token ends, and the token with it."""
    runtime = runtime_of(request)
    async with runtime.engine.begin() as connection:
        revoked = await sign_out(connection, caller_of(request))
    runtime.revocations.learn(revoked)
    return NothingToSay()

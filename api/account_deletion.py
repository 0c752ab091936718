"""Deleting the caller's own account."""

from api.access import caller_of
from api.answers import Answer, NothingToSay
from api.deeds import deed_of
from api.refused import AccountNotFound
from api.requests import AnyRequest, runtime_of
from api.routing import route
from infra.identity.deletion import delete_account


@route("DELETE", "/v1/me")
async def delete_me(request: AnyRequest) -> Answer:
    runtime, caller = runtime_of(request), caller_of(request)
    leaving = deed_of(request, "staff.leave")
    revoked = await delete_account(runtime.engine, runtime.tell, caller.subject, caller.session_id, leaving)
    if revoked is None:
        raise AccountNotFound
    runtime.revocations.learn(revoked)
    return NothingToSay()

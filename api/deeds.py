"""What a request is in the audit log: who asks, as what, and under which name."""

from api.access import caller_of
from api.request_ids import request_id_of
from api.requests import AnyRequest
from api.who_may import Access
from domain.identity.permissions import Role
from infra.identity.audit import Actor, ActorKind, Deed


def deed_of(request: AnyRequest, action: str, reason: str | None = None) -> Deed:
    """The deed that a request asks for."""
    return Deed(_actor_of(request), action, request_id_of(request.scope), reason)


def _actor_of(request: AnyRequest) -> Actor:
    """A token whose subject is the merchant itself, as from the command line, is an operator's."""
    caller = caller_of(request)
    if request.scope["route_handler"].opt["access"] is Access.ADMIN:
        return Actor(ActorKind.ADMINISTRATOR, caller.subject)
    if Role.API_KEY in caller.roles:
        return Actor(ActorKind.API_KEY, caller.subject)
    return Actor(ActorKind.OPERATOR if caller.subject in caller.merchants else ActorKind.STAFF, caller.subject)

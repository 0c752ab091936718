"""Which class of limits an operation belongs to: a rule, so that a new one is limited without anybody's thinking."""

from typing import Final

from api.who_may import Access
from domain.identity.limits import RouteClass
from domain.identity.permissions import Permission

NAMED: Final = (
    ("POST /v1/sign-in/codes", RouteClass.CODES),
    ("POST /v1/merchants/{merchant_id}/staff-invites", RouteClass.CODES),  # they leave by message too
    ("POST /v1/sign-in/refresh", RouteClass.REFRESH),
    ("POST /v1/sign-in/", RouteClass.SIGN_IN),
    ("GET /v1/sign-in/", RouteClass.SIGN_IN),
    ("POST /v1/me/identities", RouteClass.SIGN_IN),
    ("POST /v1/webhooks/", RouteClass.WEBHOOK),
    ("POST /v1/groups/{group_id}/participants", RouteClass.JOIN),
    ("POST /v1/deals/{deal_id}/groups", RouteClass.JOIN),
    ("POST /v1/deals/{deal_id}/orders", RouteClass.JOIN),
    ("POST /g/{group_id}/join/code", RouteClass.CODES),
    ("POST /g/{group_id}/join/", RouteClass.SIGN_IN),
    ("POST /g/{group_id}/join", RouteClass.JOIN),
    ("GET /i/{code}/card/", RouteClass.PICTURE),
    ("GET /g/{group_id}/card/", RouteClass.PICTURE),
    ("GET /i/{code}/poster/", RouteClass.PICTURE),
    ("GET /g/{group_id}/poster/", RouteClass.PICTURE),
    ("GET /i/{code}/qr", RouteClass.PICTURE),
    ("GET /g/{group_id}/qr", RouteClass.PICTURE),
    ("GET /v1/me/export", RouteClass.EXPORT),
    ("GET /healthz", RouteClass.PROBE),
    ("GET /readyz", RouteClass.PROBE),
)
"""Operations by how their names begin; the first that fits counts, what none fits goes by who may call it."""


def class_of(operation: str, access: Access | Permission) -> RouteClass:
    """The class of an operation (`POST /v1/deals`)."""
    for beginning, named in NAMED:
        if operation.startswith(beginning):
            return named
    if access is Access.ADMIN:
        return RouteClass.ADMIN
    if operation.startswith("GET "):
        return RouteClass.READ
    return RouteClass.SELL if isinstance(access, Permission) else RouteClass.WRITE

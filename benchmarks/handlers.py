"""Routes that exist only to be measured beside the product's: the same middleware, tokens, router and JSON answers."""

from typing import Final

from api.answers import Answer, answered
from api.requests import AnyRequest
from api.routing import route
from api.who_may import Access
from benchmarks.locking_join import join_by_locking


@route("GET", "/v1/groups/{group_id}/nothing", access=Access.SHOPPER)
async def get_nothing(request: AnyRequest) -> Answer:
    """The ceiling of reading: a verified shopper, a routed path, a small JSON answer."""
    return answered({"group_id": request.scope["path_params"]["group_id"]})


@route("POST", "/v1/groups/{group_id}/nothing", access=Access.SHOPPER)
async def post_nothing(request: AnyRequest) -> Answer:
    """The ceiling of writing: the same, whatever the body says."""
    return answered({"group_id": request.scope["path_params"]["group_id"]}, 201)


@route("GET", "/v1/groups/{group_id}/nothing-asked", access=Access.UNASKED)
async def get_nothing_unasked(request: AnyRequest) -> Answer:
    """The same as the ceiling of reading, but that nobody's token is looked at."""
    return answered({"group_id": request.scope["path_params"]["group_id"]})


HANDLERS: Final = (get_nothing, get_nothing_unasked, post_nothing, join_by_locking)

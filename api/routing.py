"""One way to write a route: its row in the table of access comes with it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Literal

from litestar.handlers import HTTPRouteHandler

from api.answers import NothingToSay
from api.limits import class_of
from api.requests import AnyRequest
from api.who_may import WHO_MAY, Access
from domain.identity.permissions import Permission

Method = Literal["GET", "POST", "PATCH", "DELETE"]


def route(
    method: Method, path: str, *, access: Access | Permission | None = None
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """A handler of `method` at `path` (`/v1/deals/{deal_id}`), open to those `WHO_MAY` says; GET answers HEAD too.

    Only routes outside the product, as a benchmark's, give `access` here, and nothing limits them.
    """
    operation = f"{method} {path}"
    is_ours = access is None
    access = access or WHO_MAY[operation]
    return HTTPRouteHandler(
        path.replace("}", ":str}"),
        http_method=["GET", "HEAD"] if method == "GET" else [method],
        name=operation,
        status_code=200,
        opt={"access": access, "limits": class_of(operation, access) if is_ours else None},
    )


def telling_methods(handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """A handler of OPTIONS for each path, that tells all its methods; to be registered before the others.

    The framework's own tells only those of the handler that was registered first.
    """
    methods: dict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= handler.http_methods
    return [_telling(path, ", ".join(sorted(allowed))) for path, allowed in methods.items()]


def _telling(path: str, allowed: str) -> HTTPRouteHandler:
    async def tell_methods(request: AnyRequest) -> NothingToSay:  # noqa: ARG001 - handlers take the request
        return NothingToSay(((b"allow", allowed.encode()),))

    return HTTPRouteHandler(path, http_method="OPTIONS", status_code=200, opt={"access": Access.UNASKED})(tell_methods)

"""One way to write a route: its row in the table of access comes with it."""

from collections.abc import Callable
from typing import Any, Literal

from litestar.handlers import HTTPRouteHandler

from api.access import WHO_MAY, Access

Method = Literal["GET", "POST", "PATCH", "DELETE"]


def route(
    method: Method, path: str, *, access: Access | None = None
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """A handler of `method` at `path` (`/v1/deals/{deal_id}`), open to those `WHO_MAY` says; GET answers HEAD too.

    Only routes outside the product, as a benchmark's, give `access` here.
    """
    operation = f"{method} {path}"
    return HTTPRouteHandler(
        path.replace("}", ":str}"),
        http_method=["GET", "HEAD"] if method == "GET" else [method],
        name=operation,
        status_code=200,
        opt={"access": access or WHO_MAY[operation]},
    )

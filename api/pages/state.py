"""What the pages of one process keep: with the app, so that two of them share nothing."""

from typing import NamedTuple, cast

from litestar.datastructures import State

from api.pages.kept import Pages
from api.pages.live_parts import LiveParts
from api.requests import AnyRequest
from infra.runtime import Runtime


class PageState(NamedTuple):
    """Pages and parts of them, made once for many."""

    pages: Pages
    live_parts: LiveParts


def open_pages(state: State, runtime: Runtime) -> None:
    """Begin with nothing kept."""
    state.pages = PageState(Pages(), LiveParts(runtime.landings))


def pages_of(request: AnyRequest) -> PageState:
    """What this app's pages keep."""
    return cast("PageState", request.scope["litestar_app"].state.pages)

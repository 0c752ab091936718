"""Who asks for a page: a person who opens an address, the page's own script for a part of it, or anybody else."""

import re
from typing import Final

from api.requests import AnyRequest, header

_OF_PAGES: Final = re.compile(
    r"/|/[ig]/[^/]*/?|/unsubscribe/[^/]*|/g/[^/]*/(join(/[a-z-]*)?|paid/[^/]*|leave|sign-out)", re.ASCII
)


def is_for_a_person(request: AnyRequest) -> bool:
    """Whether somebody opened the address of a page, and so wants to read what is wrong with it."""
    if _OF_PAGES.fullmatch(request.scope["path"]) is None:
        return False
    accepted = header(request, b"accept")
    if accepted is None or b"text/html" not in accepted:
        return False
    return b"text/event-stream" not in accepted or is_part(request)  # htmx takes events wherever it asks


def is_part(request: AnyRequest) -> bool:
    """Whether htmx asks, and puts what comes into the page that is there."""
    return header(request, b"hx-request") == b"true"

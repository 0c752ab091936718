"""Taking note of who opens a link."""

from typing import Final

from api.client_address import client_of
from api.requests import AnyRequest, header, runtime_of

_PURPOSES: Final = (b"sec-purpose", b"purpose", b"x-moz", b"x-purpose")
"""Headers of a browser that fetches what nobody has asked to see yet."""


def note_visit(request: AnyRequest, code: str) -> None:
    """This request opens a link that leads somewhere; one for the head alone, or ahead of its reader, is no visit."""
    if request.scope["method"] == "HEAD" or any(_is_ahead(header(request, name)) for name in _PURPOSES):
        return
    user_agent = header(request, b"user-agent")
    said = None if user_agent is None else user_agent.decode("latin-1")
    runtime_of(request).visits.note(code, client_of(request).name, said)


def _is_ahead(purpose: bytes | None) -> bool:
    return purpose is not None and (b"prefetch" in purpose.lower() or b"preview" in purpose.lower())

"""Forms of our pages: read with bounds, and only where one of our own pages sent them.

Whoever is signed in is so by a cookie, which browsers send along whoever made the form. So they are asked where it came
from (`Sec-Fetch-Site`, in older ones and in the clear `Origin`), and a form that nothing is said of is refused.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from api.bodies import content_type, read_bytes
from api.pages.web_cookies import is_secure
from api.refused import ForeignForm, WrongContentType
from api.requests import AnyRequest, header, invalid, query_of, runtime_of

FORM: Final = "application/x-www-form-urlencoded"
FORM_BYTES_MAX: Final = 16 * 1024
FIELDS_MAX: Final = 40

Form = Mapping[str, str]
"""What was typed, without spaces around it; fields that were left empty are not there."""


def check_is_ours(request: AnyRequest) -> None:
    """Raises `ForeignForm` unless a page of this very site sent the form."""
    site, origin = header(request, b"sec-fetch-site"), header(request, b"origin")
    is_ours = site == b"same-origin" if site is not None else origin is not None and _is_ours(request, origin)
    if not is_ours:
        raise ForeignForm


async def read_form(request: AnyRequest) -> Form:
    """The fields of a form; raises `InvalidInput`, `BodyTooLarge`, `BodyTooSlow` or `WrongContentType`."""
    if content_type(request) not in {FORM, None}:  # one without fields may say nothing
        raise WrongContentType(FORM)
    body = await read_bytes(request, FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise invalid("body", "must be the form of the page") from None
    return _typed(dict(pairs))


def form_in_address(request: AnyRequest) -> Form:
    """The fields of a form that was sent in the address; raises `InvalidInput`."""
    return _typed(query_of(request))


def _typed(fields: Mapping[str, str]) -> Form:
    return {name: text for name, typed in fields.items() if (text := typed.strip())}


def _is_ours(request: AnyRequest, origin: bytes) -> bool:
    """Whether a page of this origin is ours: of the address we are known by, or of the host that was asked.

    No page can make a browser name another host than the one it asks. Where we are known by https, what came in the
    clear is nobody's: anybody on the way could have written it.
    """
    settings, text = runtime_of(request).settings, origin.decode("latin-1").lower()
    host = (header(request, b"host") or b"").decode("latin-1").lower()
    asked = {f"https://{host}"} if is_secure(settings) else {f"https://{host}", f"http://{host}"}
    return text == settings.origin or (bool(host) and text in asked)

"""The links a browser opened last, one for each deal: a join is put down to the last of them.

tuan_via: 019aa7d2c3f57a1b8e21d0f4b6c87e90.k3JxQ2~...       deals, the latest first, each with the link's code
"""

import re
from typing import Final
from uuid import UUID

from api.pages.web_cookies import cookie_of, set_cookie
from api.place_body import is_invite_code
from api.requests import AnyRequest

NAME: Final = "tuan_via"
LIFETIME_S: Final = 30 * 24 * 3600
DEALS_MAX: Final = 8
CODE_CHARACTERS_MAX: Final = 64

_ENTRY: Final = re.compile(rf"(?P<deal>[0-9a-f]{{32}})\.(?P<code>[A-Za-z0-9_-]{{1,{CODE_CHARACTERS_MAX}}})")


def note_link(request: AnyRequest, deal_id: UUID, code: str) -> None:
    """Remember in the browser that this link was the last one opened to the deal."""
    known = _known(request)
    if next(iter(known.items()), None) == (deal_id.hex, code):
        return
    known.pop(deal_id.hex, None)
    latest = {deal_id.hex: code} | known
    written = "~".join(f"{deal}.{code}" for deal, code in list(latest.items())[:DEALS_MAX])
    set_cookie(request, NAME, written, LIFETIME_S)


def last_link(request: AnyRequest, deal_id: UUID) -> str | None:
    """The code of the link that was opened last to a deal; whether it leads there is for the rules to judge."""
    code = _known(request).get(deal_id.hex)
    return code if code is not None and is_invite_code(code) else None


def _known(request: AnyRequest) -> dict[str, str]:
    written = cookie_of(request, NAME)
    if written is None:
        return {}
    entries = map(_ENTRY.fullmatch, written.split("~")[:DEALS_MAX])
    return {found["deal"]: found["code"] for found in entries if found}

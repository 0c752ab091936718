"""What a shopper sends to open or join a group."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.bodies import read_json
from api.requests import AnyRequest, invalid
from domain.groupbuy.deal import QUANTITY_MAX

INVITE_CODE_CHARACTERS_MAX = 64

Quantity = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": QUANTITY_MAX})]
OF_A_CODE: Final = {"pattern": "^[A-Za-z0-9_-]+$", "minLength": 1, "maxLength": INVITE_CODE_CHARACTERS_MAX}
InviteCode = Annotated[str, Meta(extra_json_schema=OF_A_CODE)]


class PlaceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How many units, of which variant, and whose link brought the shopper.

    All may be left out; `variant_id` only where the deal has one variant.
    """

    quantity: Quantity = 1
    variant_id: UUID | None = None
    invite_code: InviteCode | None = None


_place_body: Final = msgspec.json.Decoder(PlaceBody)
_ONE_OF_THE_ONLY_VARIANT: Final = PlaceBody()


async def read_place(request: AnyRequest) -> PlaceBody:
    """The body of an opening or joining; none at all means one unit of the only variant."""
    body = await read_json(request, _place_body, empty=_ONE_OF_THE_ONLY_VARIANT)
    code = body.invite_code
    if code is not None and not is_invite_code(code):
        raise invalid("invite_code", "must be the code of an invite, as in its link")
    return body


def is_invite_code(text: str) -> bool:
    """Whether text looks like a code of ours: only such text is looked up."""
    return (
        0 < len(text) <= INVITE_CODE_CHARACTERS_MAX
        and text.isascii()
        and text.replace("-", "a").replace("_", "a").isalnum()
    )

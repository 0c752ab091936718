"""The pictures of groups, for those who put them somewhere."""

from typing import Final

from api.contract.operation import Operation, Sent
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from infra.cards.drawing_turns import CannotDraw

_KEY: Final = (
    "The share kit and the page name its address, whose last part changes with what is shown and may be kept for ever. "
    "Any other leads to the present one, in the language it begins with (`en`, `zh`, `de`, `es`)."
)


def _picture(name: str, summary: str, unknown: type[Exception]) -> Operation:
    return Operation(
        name,
        summary=summary,
        description=_KEY,
        answers={200: Sent("A JPEG.", bytes, media_type="image/jpeg", headers=("ETag",)), 302: _MOVED},
        problems=(unknown, CannotDraw),
    )


def _code(name: str, summary: str, unknown: type[Exception]) -> Operation:
    return Operation(
        name,
        summary=summary,
        answers={200: Sent("An SVG.", str, media_type="image/svg+xml", headers=("ETag",))},
        problems=(unknown, CannotDraw),
    )


_MOVED: Final = Sent("It shows something else by now.", headers=("Location",))

PICTURES: Final[dict[str, Operation]] = {
    "GET /i/{code}/card/{key}": _picture("link_card", "The card of a link, 1200 x 630", InviteNotFound),
    "GET /g/{group_id}/card/{key}": _picture("group_card", "The card of a group, 1200 x 630", GroupNotFound),
    "GET /i/{code}/poster/{key}": _picture("link_poster", "The poster of a link, 1080 x 1920", InviteNotFound),
    "GET /g/{group_id}/poster/{key}": _picture("group_poster", "The poster of a group, 1080 x 1920", GroupNotFound),
    "GET /i/{code}/qr.svg": _code("link_qr", "A link as a QR code", InviteNotFound),
    "GET /g/{group_id}/qr.svg": _code("group_qr", "The address of a group as a QR code", GroupNotFound),
}

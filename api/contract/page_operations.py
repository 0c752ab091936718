"""The pages people open in a browser, for those who run them; they may change at any time."""

from typing import Final

from api.contract.operation import Operation, Sent
from domain.groupbuy.errors import GroupNotFound, InviteNotFound

PAGES: Final[dict[str, Operation]] = {
    "GET /i/{code}": Operation(
        "open_link",
        summary="The page a shared link leads to",
        answers={200: Sent("The page.", str, media_type="text/html")},
        problems=(InviteNotFound,),
    ),
    "GET /g/{group_id}": Operation(
        "open_group_page",
        summary="The page of a group, whoever told of it",
        answers={200: Sent("The page.", str, media_type="text/html")},
        problems=(GroupNotFound,),
    ),
    "GET /static/{fingerprint}/{name}": Operation(
        "static_file",
        summary="A style or script of the pages",
        answers={200: Sent("The file.", str, media_type="text/css", as_text={"text/javascript": '"use strict";'})},
        needs_database=False,
    ),
}

"""The pages people open in a browser, for those who run them; they may change at any time."""

from typing import Final

from api.contract.operation import Operation, Sent
from api.pages.oembed import Embedded
from api.refused import NothingHere
from domain.errors import InvalidInput
from domain.groupbuy.errors import GroupNotFound, InviteNotFound

_IN_LANGUAGES: Final = (
    "In English, Chinese, German or Spanish, by `lang`, else `Accept-Language`, else what the sharer speaks. "
    "A browser, which asks for `text/html`, gets problems as pages."
)
_PARTS: Final = (
    "Server-sent events for the page's own script: the data of each is HTML, its id the group's version. "
    "The stream ends with `event: closed` when the group is closed."
)
_PAGE: Final = Sent("The page.", str, media_type="text/html", headers=("ETag",))
_STREAM: Final = Sent("Events, until the group is closed.", str, media_type="text/event-stream")
_EMBEDDED: Final = {
    "version": "1.0",
    "type": "link",
    "title": "Jasmine tea, 250 g · One more and all 4 of us save $2.00 each.",
    "author_name": "Mia",
    "provider_name": "Tuan",
    "provider_url": "https://tuan.example",
    "cache_age": 60,
    "thumbnail_url": "https://tuan.example/i/8WzLFRkGmMYnvdQT/card/en-1f0e.jpg",
    "thumbnail_width": 1200,
    "thumbnail_height": 630,
}

PAGES: Final[dict[str, Operation]] = {
    "GET /": Operation(
        "show_front",
        summary="What this is, for people; for programs there is nothing here",
        description=_IN_LANGUAGES,
        query=("lang",),
        answers={200: Sent("The page.", str, media_type="text/html")},
        problems=(NothingHere,),
    ),
    "GET /i/{code}": Operation(
        "open_link",
        summary="The page a shared link leads to",
        description=_IN_LANGUAGES,
        query=("lang",),
        answers={200: _PAGE},
        problems=(InviteNotFound,),
    ),
    "GET /g/{group_id}": Operation(
        "open_group_page",
        summary="The page of a group, whoever told of it",
        description=_IN_LANGUAGES,
        query=("lang",),
        answers={200: _PAGE},
        problems=(GroupNotFound,),
    ),
    "GET /g/{group_id}/live": Operation(
        "follow_group_page",
        summary="Follow the page of a group",
        description=_PARTS,
        query=("lang",),
        answers={200: _STREAM},
        problems=(GroupNotFound,),
    ),
    "GET /oembed": Operation(
        "embed",
        summary="What another site may show of a link",
        description="oEmbed 1.0 (https://oembed.com), as JSON, for links and groups of this host.",
        query=("embedded_url", "embedded_format", "lang"),
        answers={200: Sent("A title and a picture.", Embedded, _EMBEDDED)},
        problems=(InviteNotFound, GroupNotFound, InvalidInput),
    ),
    "GET /static/{fingerprint}/{name}": Operation(
        "static_file",
        summary="A style or script of the pages",
        answers={200: Sent("The file.", str, media_type="text/css", as_text={"text/javascript": '"use strict";'})},
        problems=(NothingHere,),
        needs_database=False,
    ),
}

"""The pages that letters lead to, for those who run them; they may change at any time."""

from typing import Final

from api.contract.operation import Operation, Sent
from api.refused import NothingHere

LETTERS: Final[dict[str, Operation]] = {
    "GET /unsubscribe/{token}": Operation(
        "ask_about_letters",
        summary="The page that asks whether to end letters like the one that led here",
        query=("lang",),
        answers={200: Sent("The page.", str, media_type="text/html")},
        problems=(NothingHere,),
        needs_database=False,
    ),
    "POST /unsubscribe/{token}": Operation(
        "end_letters",
        summary="End letters like the one that led here",
        description="Mail programs send this by themselves (RFC 8058); no body is needed, and none is read.",
        query=("lang",),
        answers={200: Sent("A page that says so.", str, media_type="text/html")},
        problems=(NothingHere,),
    ),
}

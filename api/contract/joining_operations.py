"""Joining on the web, for those who run the pages, and which apps open links; the forms may change at any time."""

from typing import Any, Final

from api.contract.operation import Operation, Sent
from api.pages.association import COMPONENTS
from api.refused import ForeignForm, NothingHere
from domain.groupbuy.errors import GroupNotFound

_FORM: Final = (
    "A form of our own pages, with the session of the browser in cookies; whatever else sends it is refused. "
    "A browser, which asks for `text/html`, gets what bars it on the page, with what was typed."
)
_STEP: Final = Sent("The next step, on the page or, for htmx, alone.", str, media_type="text/html")
_ON: Final = Sent("On to the group's page.", headers=("Location",))
_APPLE: Final = {
    "applinks": {
        "details": [
            {
                "appIDs": ["ABCDE12345.com.example.shop"],
                "components": list(COMPONENTS),
            }
        ]
    }
}
_ANDROID: Final = [
    {
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": "com.example.shop",
            "sha256_cert_fingerprints": [":".join(["14"] * 32)],
        },
    }
]


def _form(name: str, summary: str, *, answers: dict[int, Sent]) -> Operation:
    return Operation(
        name,
        summary=summary,
        description=_FORM,
        query=("lang",),
        answers=answers,
        problems=(ForeignForm, GroupNotFound),
    )


JOINING: Final[dict[str, Operation]] = {
    "GET /g/{group_id}/join": Operation(
        "show_way_in",
        summary="The next step into a group for whoever asks",
        query=("lang",),
        answers={200: _STEP},
        problems=(GroupNotFound,),
    ),
    "POST /g/{group_id}/join/code": _form("send_join_code", "Have a code sent to a phone", answers={200: _STEP}),
    "POST /g/{group_id}/join/sign-in": _form("sign_in_to_join", "Sign in with the code", answers={200: _STEP}),
    "POST /g/{group_id}/join/guest": _form("be_a_guest", "Sign in as a guest", answers={200: _STEP}),
    "POST /g/{group_id}/join": _form("take_place_on_page", "Join, or open a group", answers={200: _STEP, 303: _ON}),
    "GET /g/{group_id}/paid/{order_id}": Operation(
        "look_whether_paid",
        summary="Where the page of a payment leads back to",
        query=("lang",),
        answers={200: _STEP, 303: _ON},
        problems=(GroupNotFound,),
    ),
    "POST /g/{group_id}/leave": _form("leave_on_page", "Give the place up", answers={303: _ON}),
    "POST /g/{group_id}/sign-out": _form("sign_out_on_page", "End the session of the browser", answers={303: _ON}),
    "GET /.well-known/apple-app-site-association": Operation(
        "apple_association",
        summary="Which apps open links on iPhones",
        answers={200: Sent("As Apple asks for it.", dict[str, Any], _APPLE)},
        problems=(NothingHere,),
        needs_database=False,
    ),
    "GET /.well-known/assetlinks.json": Operation(
        "android_association",
        summary="Which apps open links on Android",
        answers={200: Sent("As Android asks for it.", list[dict[str, Any]], _ANDROID)},
        problems=(NothingHere,),
        needs_database=False,
    ),
}

"""Operations on what somebody was told, for their callers."""

from typing import Final

from api.contract.operation import Operation, Received, Sent
from api.notices import ReadBody, Unread
from infra.notices.inbox import Notices

_ID: Final = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
_NOTICE: Final = {
    "id": _ID,
    "kind": "succeeded",
    "title": "Jasmine tea, 250 g",
    "text": "Your group succeeded! You pay $7.00 instead of $12.00.",
    "deal_id": _ID,
    "group_id": _ID,
    "order_id": _ID,
    "currency": "USD",
    "participants": 4,
    "seats_left": 0,
    "unit_price": 700,
    "joined": None,
    "pays": 700,
    "amount": None,
    "pay_by": None,
    "expires_at": "2026-05-02T12:00:00Z",
    "is_money_back": None,
    "link": f"https://tuan.example/g/{_ID}",
    "at": "2026-05-01T12:00:00Z",
    "is_read": False,
}

NOTICES: Final[dict[str, Operation]] = {
    "GET /v1/me/notices": Operation(
        "list_my_notices",
        summary="What I was told",
        description=(
            "The newest first: the last 200 of the last 90 days, in the account's language. What happens again and "
            "again (`joined`, `price_dropped`) is one notice as long as it is unread, brought up to date. What a "
            "notice says of money that comes back is true when it is read, not when it was made."
        ),
        query=("limit", "cursor"),
        answers={200: Sent("A page.", Notices, {"items": [_NOTICE], "next_cursor": None, "unread": 1})},
    ),
    "GET /v1/me/notices/unread": Operation(
        "count_my_unread_notices",
        summary="How much I have not read",
        answers={200: Sent("The count.", Unread, {"unread": 1})},
    ),
    "POST /v1/me/notices/read": Operation(
        "read_my_notices",
        summary="I have read this",
        description=(
            "Either `up_to` one notice, with all that are older, or these `ids`. With `shown_at`, the newest `at` "
            "of those that were shown, what was brought up to date since stays unread. It is safe to repeat."
        ),
        body=Received(ReadBody, {"up_to": _ID, "shown_at": _NOTICE["at"]}),
        answers={200: Sent("How much is unread now.", Unread, {"unread": 0})},
    ),
}

"""Operations on what came of links, for their callers."""

from typing import Final

from api.contract import examples
from api.contract.operation import Operation, Sent
from domain.groupbuy.errors import GroupNotFound, InviteNotFound
from infra.reading.page import Page
from infra.sharing.my_invites import InviteFigures
from infra.sharing.tree import TreeNode

_FIGURES: Final = {
    "code": examples.INVITE_CODE,
    "url": f"https://tuan.example/i/{examples.INVITE_CODE}",
    "deal_id": examples.DEAL_ID,
    "group_id": examples.GROUP_ID,
    "channel": "wechat",
    "created_at": "2027-05-02T09:30:00Z",
    "revoked_at": None,
    "visits": 31,
    "previews": 4,
    "joins": 3,
    "succeeded": 3,
    "depth": 2,
    "reached": 5,
    "savings": [{"currency": "USD", "amount": 2500}],
    "is_whole": True,
}
_NODE: Final = {
    "number": 5,
    "display_name": "Ben",
    "avatar_url": None,
    "joined_at": "2027-05-02T09:41:00Z",
    "is_leader": False,
    "came_by": {"channel": "wechat", "sharer_name": "Mei", "sharer_number": 2},
    "brought": 1,
}

INVITES: Final[dict[str, Operation]] = {
    "GET /v1/me/invites": Operation(
        "list_my_invites",
        summary="My links and what came of them, newest first",
        description=(
            "`visits` counts people once a day and link, without keeping who they are; whoever opens a link is not "
            "asked who they are, so its sharer counts too. `joins` counts whoever joined with the link's code as "
            "`invite_code`: an app gives that of the last link its shopper opened. Nobody is counted for their own "
            "link, nor for a link of somebody they brought. Of all who were `reached`, in groups that succeeded, "
            "`savings` adds up (solo price - final price) x quantity, by currency."
        ),
        query=("limit", "cursor"),
        answers={200: Sent("A page of your links.", Page[InviteFigures], examples.page(_FIGURES))},
    ),
    "DELETE /v1/invites/{code}": Operation(
        "revoke_invite",
        summary="Take a link of mine back",
        description=(
            "From then on the link is as unknown as one that never was, and no join can name it. Whoever came by it "
            "stays in the group and stays brought by you. The next link you ask for, for its channel, is a new one."
        ),
        answers={204: Sent("It leads nowhere any more.")},
        problems=(InviteNotFound,),
    ),
    "GET /v1/groups/{group_id}/invite-tree": Operation(
        "read_invite_tree",
        summary="Who brought whom into a group",
        description=(
            "For its leader, and for its merchant's staff and keys that may read orders; to others it is not there. "
            "Participants in the order of joining, each with the number of whoever shared the link they came by: put "
            "together they are a tree. Names are those that anyone sees."
        ),
        query=("limit", "cursor"),
        answers={200: Sent("A page of participants.", Page[TreeNode], examples.page(_NODE))},
        problems=(GroupNotFound,),
    ),
}

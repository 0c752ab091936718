"""The line of an invite: its sharer, who brought the sharer, and so on back to whoever nobody brought."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from domain.groupbuy.group import Invite


def comes_from(
    shopper_id: UUID, code: str, invites: Mapping[str, Invite], led_by: Callable[[Invite], Iterable[str]]
) -> bool:
    """Whether a shopper is in the line of an invite, as its sharer or further back.

    `led_by` are the codes by which an invite's sharer came: when it was made, and since.
    """
    waiting, seen = [code], {code}
    for next_code in waiting:
        invite = invites.get(next_code)
        if invite is None:
            continue
        if invite.sharer_id == shopper_id:
            return True
        for before in led_by(invite):
            if before not in seen:
                seen.add(before)
                waiting.append(before)
    return False

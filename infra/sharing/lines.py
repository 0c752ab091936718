"""The lines of invites in SQL: who shared them, by whose invites those came, and so on (docs/decisions/0022)."""

from dataclasses import fields
from typing import Final

from domain.groupbuy.group import Invite

LINE_LINKS_MAX: Final = 10_000
"""Nearest first; a ring of more people than that is nobody's doing."""

INVITE_COLUMNS: Final = ", ".join(column.name for column in fields(Invite))
_COLUMNS_OF_THE_NEXT: Final = ", ".join(f"i.{column.name}" for column in fields(Invite))


def lines_from(codes: str, in_groups: str) -> str:
    """What follows WITH: `line` has the invites whose codes a query finds, and all before them.

    A sharer came by the invite that the shared one remembers, and by that of the place, or reservation, they have now
    in the groups that a condition on `group_id` names.
    """
    return f"""
    RECURSIVE walked AS (
      SELECT {_COLUMNS_OF_THE_NEXT} FROM ({codes}) began (code) JOIN invites i ON i.code = began.code
      UNION
      SELECT {_COLUMNS_OF_THE_NEXT} FROM walked w CROSS JOIN LATERAL (
        SELECT w.parent_code AS code
        UNION ALL
        SELECT invite_code FROM participants
        WHERE deal_id = w.deal_id AND shopper_id = w.sharer_id AND group_id {in_groups}
        UNION ALL
        SELECT invite_code FROM payments
        WHERE deal_id = w.deal_id AND shopper_id = w.sharer_id AND holds_units AND group_id {in_groups}
      ) led JOIN invites i ON i.code = led.code
    ), line AS MATERIALIZED (SELECT * FROM walked LIMIT {LINE_LINKS_MAX})"""  # noqa: S608 - constants

"""The lines of invites in SQL: who shared them, by whose invites those came, and so on (docs/decisions/0022)."""

from dataclasses import fields
from typing import Final

from domain.groupbuy.group import Invite

LINE_LINKS_MAX: Final = 10_000
"""Nearest first; a ring of more people than that is nobody's doing."""

INVITE_COLUMNS: Final = ", ".join(column.name for column in fields(Invite))
_COLUMNS_OF_THE_NEXT: Final = ", ".join(f"i.{column.name}" for column in fields(Invite))


def lines_from(codes: str) -> str:
    """What follows WITH: `line` has the invites whose codes a query finds, and all before them.

    A sharer came by the invite that the shared one remembers, and by those of the places and reservations of now.
    """
    return f"""
    RECURSIVE walked AS (
      SELECT {_COLUMNS_OF_THE_NEXT} FROM ({codes}) began (code) JOIN invites i ON i.code = began.code
      UNION
      SELECT {_COLUMNS_OF_THE_NEXT} FROM walked w CROSS JOIN LATERAL (
        SELECT w.parent_code AS code
        UNION ALL
        SELECT p.invite_code FROM participants p JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
        WHERE p.deal_id = w.deal_id AND p.shopper_id = w.sharer_id AND g.status IN ('open', 'succeeded')
        UNION ALL
        SELECT p.invite_code FROM payments p
        WHERE p.deal_id = w.deal_id AND p.shopper_id = w.sharer_id AND p.holds_units
      ) led JOIN invites i ON i.code = led.code
    ), line AS MATERIALIZED (SELECT * FROM walked LIMIT {LINE_LINKS_MAX})"""  # noqa: S608 - constants

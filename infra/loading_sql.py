"""The statement that reads what a batch of commands is decided in, in the shapes that batches need."""

from dataclasses import fields
from typing import Final

from domain.groupbuy.order import Order, Refund
from infra.rows import DealRow, GroupRow, PlaceRow
from infra.rows_money import PaymentRow
from infra.sharing.lines import INVITE_COLUMNS, lines_from
from infra.statement import Statement

# What is read is what a row holds: a new field needs no second list.
_DEAL_COLUMNS = ", ".join(name for name in DealRow.__struct_fields__ if name != "variants")
GROUP_COLUMNS = ", ".join(GroupRow.__struct_fields__)
PLACE_COLUMNS = ", ".join(f"p.{name}" for name in PlaceRow.__struct_fields__)
PAYMENT_COLUMNS = ", ".join(f"p.{name}" for name in PaymentRow.__struct_fields__)
_ORDER_COLUMNS = ", ".join(column.name for column in fields(Order))
_REFUND_COLUMNS = ", ".join(column.name for column in fields(Refund))

_OF_ORDERS = f"""
  'payments', (SELECT json_agg(q) FROM (
      SELECT {PAYMENT_COLUMNS}, s.capture_minor, s.unit_price AS settled_unit_price, s.status AS settlement_status
      FROM payments p LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id
      WHERE p.order_id IN (
        SELECT unnest(CAST(:order_ids AS uuid[]))
        UNION
        SELECT m.order_id FROM participants m JOIN unnest(
          CAST(:leaving_deal_ids AS uuid[]), CAST(:leaving_shopper_ids AS uuid[]), CAST(:leaving_group_ids AS uuid[])
        ) AS leaving (d, s, g) ON m.deal_id = leaving.d AND m.shopper_id = leaving.s AND m.group_id = leaving.g)) q),
  'orders', (SELECT json_agg(o) FROM (
      SELECT {_ORDER_COLUMNS} FROM orders WHERE id = ANY(CAST(:order_ids AS uuid[]))) o),
  'refunds', (SELECT json_agg(r) FROM (
      SELECT {_REFUND_COLUMNS} FROM refunds
      JOIN unnest(CAST(:refund_deal_ids AS uuid[]), CAST(:refund_ids AS uuid[])) AS asked (d, i)
        ON deal_id = asked.d AND id = asked.i) r),"""  # noqa: S608 - constants
"""Only where a batch has commands about orders: joins by themselves need none of it."""

# Only who shares as well can have brought a sharer; for everybody else this is one look into an index.
_IN_GROUPS = "= ANY(CAST(:group_ids AS uuid[]))"
_BEGINNINGS = f"""
      SELECT c FROM unnest(CAST(:coming_codes AS text[]), CAST(:coming_shopper_ids AS uuid[])) AS coming (c, s)
      WHERE s = ANY(CAST(:sharer_ids AS uuid[])) OR EXISTS (SELECT FROM invites own WHERE own.sharer_id = coming.s)
      UNION
      SELECT h.invite_code
      FROM unnest(CAST(:asking_deal_ids AS uuid[]), CAST(:asking_shopper_ids AS uuid[])) AS asking (d, s)
      CROSS JOIN LATERAL (
        SELECT invite_code FROM participants
        WHERE deal_id = asking.d AND shopper_id = asking.s AND group_id {_IN_GROUPS}
        UNION ALL
        SELECT invite_code FROM payments
        WHERE deal_id = asking.d AND shopper_id = asking.s AND holds_units AND group_id {_IN_GROUPS}) h
      WHERE asking.s = ANY(CAST(:sharer_ids AS uuid[]))"""  # noqa: S608 - a constant
_LINES = f"""
  'lines', (WITH {lines_from(_BEGINNINGS, _IN_GROUPS)}, sharers AS (SELECT DISTINCT deal_id, sharer_id FROM line)
    SELECT json_build_object(
      'invites', (SELECT json_agg(line) FROM line),
      'places', (SELECT json_agg(q) FROM (
        SELECT {PLACE_COLUMNS} FROM sharers s
        JOIN participants p ON p.deal_id = s.deal_id AND p.shopper_id = s.sharer_id AND p.group_id {_IN_GROUPS}) q),
      'keeping', (SELECT json_agg(q) FROM (
        SELECT {PAYMENT_COLUMNS} FROM sharers s
        JOIN payments p ON p.deal_id = s.deal_id AND p.shopper_id = s.sharer_id AND p.holds_units
          AND p.group_id {_IN_GROUPS}) q))),"""  # noqa: S608 - constants
"""Only where somebody comes by an invite."""


def _view(of_orders: str = "", of_lines: str = "") -> Statement:
    """The statement, with these parts where a batch needs them."""
    return Statement(f"""
SELECT json_build_object(
  'now', clock_timestamp(),
  'deals', (SELECT json_agg(d) FROM (
      SELECT {_DEAL_COLUMNS}, (
        SELECT json_agg(v ORDER BY v.position) FROM (
          SELECT id, title, image_url, stock, position FROM variants WHERE deal_id = deals.id) v) AS variants
      FROM deals WHERE id = ANY(CAST(:deal_ids AS uuid[])) AND (id, version) NOT IN (
        SELECT i, v FROM unnest(CAST(:known_deal_ids AS uuid[]), CAST(:known_versions AS int[])) AS known (i, v))) d),
  'stock', (SELECT json_agg(json_build_array(deal_id, id, stock_left))
      FROM variants WHERE deal_id = ANY(CAST(:deal_ids AS uuid[]))),
  'groups', (SELECT json_agg(g) FROM (
      SELECT {GROUP_COLUMNS} FROM groups WHERE id = ANY(CAST(:group_ids AS uuid[]))) g),
  'places', (SELECT json_agg(q) FROM (
      SELECT {PLACE_COLUMNS}
      FROM unnest(CAST(:asking_deal_ids AS uuid[]), CAST(:asking_shopper_ids AS uuid[])) AS asking (deal_id, shopper_id)
      JOIN participants p ON p.deal_id = asking.deal_id AND p.shopper_id = asking.shopper_id
      JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
      WHERE g.status IN ('open', 'succeeded') OR g.id = ANY(CAST(:group_ids AS uuid[]))) q),
  'keeping', (SELECT json_agg(q) FROM (
      SELECT {PAYMENT_COLUMNS}
      FROM unnest(CAST(:asking_deal_ids AS uuid[]), CAST(:asking_shopper_ids AS uuid[])) AS asking (deal_id, shopper_id)
      JOIN payments p ON p.deal_id = asking.deal_id AND p.shopper_id = asking.shopper_id AND p.holds_units) q),
  {of_orders}{of_lines}
  'invites', (SELECT json_agg(i) FROM (
      SELECT {INVITE_COLUMNS} FROM invites WHERE code = ANY(CAST(:codes AS text[]))
      UNION
      SELECT {INVITE_COLUMNS} FROM invites JOIN unnest(
        CAST(:sharing_group_ids AS uuid[]), CAST(:sharer_ids AS uuid[])
      ) AS sharing (g, s) ON group_id = sharing.g AND sharer_id = sharing.s) i),
  'keys', (SELECT json_agg(k) FROM (
      SELECT subject_id, key, encode(request_hash, 'hex') AS request_hash, encode(answer, 'base64') AS answer
      FROM idempotency_keys JOIN unnest(
        CAST(:key_subject_ids AS uuid[]), CAST(:keys AS text[])) AS asked (s, k) ON subject_id = s AND key = k) k)
)::text
""")  # noqa: S608 - the interpolated parts are the constants above


LOAD_VIEW: Final = {
    (False, False): _view(),
    (True, False): _view(of_orders=_OF_ORDERS),
    (False, True): _view(of_lines=_LINES),
    (True, True): _view(of_orders=_OF_ORDERS, of_lines=_LINES),
}
"""By whether there are commands about orders, and whether somebody comes by an invite."""

"""The laws of money as questions to the database: our rows, our ledger and the sandbox's books, all in one moment."""

from collections.abc import Mapping

from sqlalchemy import TextClause, text

_EVERYTHING = """
WITH closings AS MATERIALIZED (
  SELECT group_id, (payload ->> 'unit_price')::bigint AS unit_price FROM events WHERE type = 'GroupSucceeded'
), booked AS MATERIALIZED (
  SELECT order_id,
    coalesce(sum(amount_minor) FILTER (WHERE account = 'gateway_clearing'), 0) AS gateway_clearing,
    coalesce(sum(amount_minor) FILTER (WHERE account = 'shopper_hold'), 0) AS shopper_hold,
    coalesce(sum(amount_minor) FILTER (WHERE account = 'refunds'), 0) AS refunds
  FROM ledger_entries GROUP BY order_id
), given_back AS MATERIALIZED (
  SELECT order_id, sum(amount_minor) AS decided_minor,
    coalesce(sum(amount_minor) FILTER (WHERE is_made), 0) AS made_minor
  FROM refunds GROUP BY order_id
), bought AS MATERIALIZED (
  SELECT p.order_id AS id, p.group_id, p.quantity, p.hold_minor, p.status, p.holds_units, p.late_at,
    g.status AS fate, c.unit_price AS final_price, m.order_id IS NOT NULL AS is_in, m.dropped_at,
    s.status AS settled, s.unit_price, s.capture_minor,
    o.status AS ordered, o.captured_minor, o.refunded_minor,
    coalesce(r.decided_minor, 0) AS given_back_minor, coalesce(r.made_minor, 0) AS made_minor,
    coalesce(b.gateway_clearing, 0) AS gateway_clearing, coalesce(b.shopper_hold, 0) AS shopper_hold,
    coalesce(b.refunds, 0) AS refunds,
    x.status AS theirs, coalesce(x.captured_minor - x.refunded_minor, 0) AS kept_minor,
    CASE WHEN x.status = 'held' AND x.hold_expires_at > clock_timestamp() THEN x.amount_minor ELSE 0 END AS held_minor
  FROM payments p
  LEFT JOIN groups g ON g.deal_id = p.deal_id AND g.id = p.group_id
  LEFT JOIN closings c ON c.group_id = p.group_id
  LEFT JOIN participants m ON m.deal_id = p.deal_id AND m.shopper_id = p.shopper_id AND m.group_id = p.group_id
    AND m.order_id = p.order_id
  LEFT JOIN settlements s ON s.deal_id = p.deal_id AND s.order_id = p.order_id
  LEFT JOIN orders o ON o.deal_id = p.deal_id AND o.id = p.order_id
  LEFT JOIN given_back r ON r.order_id = p.order_id
  LEFT JOIN booked b ON b.order_id = p.order_id
  LEFT JOIN sandbox_payments x ON x.order_id = p.order_id
)"""

_ALWAYS = {
    "nobody is charged more than was shown": "SELECT id FROM bought WHERE held_minor + kept_minor > hold_minor",
    "the gateway has no payment that we do not have": """
        SELECT order_id FROM sandbox_payments x WHERE NOT EXISTS (
          SELECT FROM payments p WHERE p.order_id = x.order_id)""",
    "what is captured is price x quantity": """
        SELECT id FROM bought WHERE status = 'captured' AND (
          captured_minor IS DISTINCT FROM unit_price * quantity OR captured_minor > hold_minor)""",
    "everybody in a group pays the price it closed with": """
        SELECT id FROM bought WHERE status = 'captured' AND group_id IS NOT NULL AND unit_price <> final_price""",
    "who pays is in a group that succeeded": """
        SELECT id FROM bought WHERE status = 'captured' AND group_id IS NOT NULL
          AND NOT coalesce(is_in AND fate = 'succeeded', false)""",
    "who lapsed is not in": "SELECT id FROM bought WHERE is_in AND status = 'lapsed'",
    "money that came late was let go": "SELECT id FROM bought WHERE late_at IS NOT NULL AND status <> 'lapsed'",
    "a place is lost only with its money": """
        SELECT id FROM bought WHERE dropped_at IS NOT NULL AND status <> 'released'
          AND ordered IS DISTINCT FROM 'cancelled'""",
    "every place of a group that takes money has a payment": """
        SELECT m.order_id FROM participants m JOIN groups g ON g.deal_id = m.deal_id AND g.id = m.group_id
        WHERE g.terms ->> 'payment' IS NOT NULL AND NOT EXISTS (SELECT FROM bought WHERE bought.id = m.order_id)""",
    "an order is a captured payment": "SELECT id FROM bought WHERE (status = 'captured') <> (ordered IS NOT NULL)",
    "an order knows its refunds": """
        SELECT id FROM bought WHERE ordered IS NOT NULL AND refunded_minor <> given_back_minor""",
    "no group is overfilled": "SELECT id FROM groups WHERE participants + awaiting > group_size_max",
    "a group knows its money": """
        SELECT g.id FROM groups g LEFT JOIN (
          SELECT group_id, sum(captured_minor) AS captured_minor, sum(refunded_minor) AS refunded_minor
          FROM orders GROUP BY group_id) o ON o.group_id = g.id
        WHERE g.captured_minor <> coalesce(o.captured_minor, 0) OR g.refunded_minor <> coalesce(o.refunded_minor, 0)""",
    "the ledger sums to zero per currency and group": """
        SELECT group_id FROM ledger_entries GROUP BY currency, group_id HAVING sum(amount_minor) <> 0""",
    "no account is overdrawn": """
        SELECT deal_id FROM ledger_entries GROUP BY deal_id, group_id, currency, account
        HAVING sum(amount_minor) * CASE WHEN account = 'gateway_clearing' THEN -1 ELSE 1 END < 0""",
    "nothing is told twice": """
        SELECT (payload ->> 'order_id')::uuid FROM events
        WHERE type IN ('PlaceReserved', 'ParticipantJoined', 'ReservationLapsed', 'PaymentCameLate', 'BoughtAlone',
                       'ParticipantLeft', 'OrderCancelled', 'UnitsReturned')
          OR (type = 'PaymentSettled' AND payload ->> 'captured_minor' <> '0')
        GROUP BY type, payload ->> 'order_id' HAVING count(*) > 1""",
    "a group closes once": """
        SELECT g.id FROM groups g LEFT JOIN (
          SELECT group_id, count(*) AS times FROM events
          WHERE type IN ('GroupSucceeded', 'GroupFailed', 'GroupCancelled') GROUP BY group_id) e ON e.group_id = g.id
        WHERE coalesce(e.times, 0) <> CASE WHEN g.status = 'open' THEN 0 ELSE 1 END""",
}
"""Each names those who break it, whatever is still under way."""

_AT_REST = {
    "no payment is awaited": "SELECT id FROM bought WHERE status = 'awaiting'",
    "no place is kept for nobody": "SELECT id FROM groups WHERE awaiting <> 0",
    "what was decided is done": "SELECT order_id FROM settlements WHERE status IN ('pending', 'dead')",
    "refunds are made": "SELECT id FROM refunds WHERE NOT is_made",
    "a payment ends by a decision": """
        SELECT id FROM bought WHERE status IN ('captured', 'released', 'lapsed') AND settled IS NULL""",
    "what is held is for a place in an open group": """
        SELECT id FROM bought WHERE status = 'held' AND NOT coalesce(fate = 'open' AND is_in, false)""",
    "the gateway holds for nobody else": """
        SELECT id FROM bought WHERE (held_minor > 0 OR theirs = 'pending') AND status <> 'held'""",
    "the ledger says what the gateway has": """
        SELECT id FROM bought WHERE -gateway_clearing <> held_minor + kept_minor""",
    "the ledger holds what is held": """
        SELECT id FROM bought WHERE shopper_hold <> CASE WHEN status = 'held' THEN hold_minor ELSE 0 END""",
    "no refund is on its way": "SELECT id FROM bought WHERE refunds <> 0",
    "nobody else pays anything": "SELECT id FROM bought WHERE status IN ('released', 'lapsed') AND kept_minor <> 0",
    "who is in a group that succeeded pays": """
        SELECT id FROM bought WHERE is_in AND fate = 'succeeded' AND dropped_at IS NULL AND status <> 'captured'""",
    "units are kept without a place only for who buys alone": """
        SELECT id FROM bought WHERE holds_units <>
          (group_id IS NULL AND status = 'captured' AND ordered IS DISTINCT FROM 'cancelled')""",
    "a closed group is settled": """
        SELECT id FROM groups WHERE terms ->> 'payment' IS NOT NULL AND status <> 'open' AND settled <> participants""",
    "of what was captured all is kept that was not given back": """
        SELECT id FROM bought WHERE status = 'captured' AND kept_minor <> captured_minor - made_minor""",
}
"""Each names those who break it once nothing is under way."""


def _query(laws: Mapping[str, str]) -> TextClause:
    broken = (f"SELECT '{law}' AS law, broken.id FROM ({query}) AS broken (id)" for law, query in laws.items())
    return text(f"{_EVERYTHING} SELECT law, id::text FROM ({' UNION ALL '.join(broken)}) AS each")


BROKEN_EVER = _query(_ALWAYS)
BROKEN_AT_REST = _query(_ALWAYS | _AT_REST)

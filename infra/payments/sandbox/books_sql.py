"""The statements of the sandbox's books; every row is named by its key."""

from infra.payments.sandbox.messages import EVENTS_PER_MESSAGE_MAX
from infra.statement import Statement

_COLUMNS = """order_id, amount_minor, currency, method, status, captured_minor, refunded_minor, declined_because,
      hold_expires_at, created_at, done"""

OPEN = Statement(f"""
  WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now),
  asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:asked AS json)) AS new (
      order_id uuid, amount_minor bigint, currency text, method text, status text, captured_minor bigint,
      declined_because text, hold_lifetime_s int)),
  made AS (
    INSERT INTO sandbox_payments (order_id, amount_minor, currency, method, status, captured_minor, declined_because,
                                  hold_expires_at, created_at)
    SELECT order_id, amount_minor, currency, method, status, captured_minor, declined_because,
      now + make_interval(secs => hold_lifetime_s), now
    FROM asked, clock ORDER BY order_id
    ON CONFLICT (order_id) DO NOTHING
    RETURNING order_id, status),
  told AS (
    INSERT INTO sandbox_events (events, at, due_at)
    SELECT json_agg(json_build_object('order_id', order_id, 'kind', 'payment.' || status, 'status', status)), now, now
    FROM (
      SELECT order_id, status, (row_number() OVER () - 1) / {EVENTS_PER_MESSAGE_MAX} AS parcel FROM made) numbered,
      clock
    GROUP BY parcel, now)
  SELECT json_build_object('now', (SELECT now FROM clock), 'there', (
    SELECT coalesce(json_agg(order_id), '[]')
    FROM (SELECT order_id FROM asked EXCEPT SELECT order_id FROM made) others))::text""")  # noqa: S608 - a constant
"""`there`: orders that have a payment already; whoever booked it a moment ago is not in this statement's snapshot.

Orders are booked in the order of their ids, so that two processes never wait for each other in a circle.
"""

FIND = Statement(f"""
  SELECT json_build_object('payments', (SELECT coalesce(json_agg(q), '[]') FROM (
    SELECT {_COLUMNS} FROM sandbox_payments WHERE order_id = ANY(CAST(:order_ids AS uuid[]))) q),
    'now', clock_timestamp())::text""")  # noqa: S608 - a constant

LOCK = Statement(f"""
  SELECT json_build_object('payments', (SELECT coalesce(json_agg(q), '[]') FROM (
    SELECT {_COLUMNS} FROM sandbox_payments WHERE order_id = ANY(CAST(:order_ids AS uuid[]))
    ORDER BY order_id FOR UPDATE) q),
    'now', clock_timestamp())::text""")  # noqa: S608 - a constant

CHANGE = Statement("""
  WITH changed AS (
    UPDATE sandbox_payments SET status = new.status, captured_minor = new.captured_minor,
      refunded_minor = new.refunded_minor, declined_because = new.declined_because,
      hold_expires_at = new.hold_expires_at, done = new.done
    FROM json_to_recordset(CAST(:changed AS json)) AS new (
      order_id uuid, status text, captured_minor bigint, refunded_minor bigint, declined_because text,
      hold_expires_at timestamptz, done jsonb)
    WHERE sandbox_payments.order_id = new.order_id)
  INSERT INTO sandbox_events (events, at, due_at)
  SELECT value, clock_timestamp(), clock_timestamp() FROM json_array_elements(CAST(:told AS json))""")

PAGE = Statement(f"""
  SELECT json_build_object('payments', (SELECT coalesce(json_agg(q), '[]') FROM (
    SELECT {_COLUMNS} FROM sandbox_payments
    WHERE (created_at, order_id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)) AND created_at < :end_at
    ORDER BY created_at, order_id LIMIT :payments_max) q),
    'now', clock_timestamp())::text""")  # noqa: S608 - a constant

"""The statements of the sandbox's sender of webhooks; an index can be asked for `now()`, not for clock_timestamp()."""

from infra.payments.sandbox.messages import EVENTS_PER_MESSAGE_MAX
from infra.statement import Statement

CLAIM = Statement("""
  WITH claimed AS (
    UPDATE sandbox_events SET attempts = attempts + 1, due_at = now() + make_interval(secs => :lease_s)
    WHERE id IN (
      SELECT id FROM sandbox_events WHERE delivered_at IS NULL AND due_at <= now()
      ORDER BY due_at LIMIT :rows_max FOR UPDATE SKIP LOCKED)
    RETURNING id, at, events, attempts, deliveries)
  SELECT coalesce(json_agg(claimed ORDER BY id), '[]')::text FROM claimed""")
"""Whoever claims has the rows to himself until the lease is over; if he dies they are due again."""

MARK = Statement("""
  UPDATE sandbox_events SET deliveries = new.deliveries, attempts = new.attempts,
    due_at = now() + make_interval(secs => new.rest_s), delivered_at = CASE WHEN new.is_over THEN now() END
  FROM json_to_recordset(CAST(:outcomes AS json)) AS new (
    id bigint, deliveries int, attempts int, is_over boolean, rest_s float)
  WHERE sandbox_events.id = new.id""")

EXPIRE = Statement(f"""
  WITH over AS (
    UPDATE sandbox_payments SET status = 'expired'
    WHERE order_id IN (
      SELECT order_id FROM sandbox_payments WHERE status = 'held' AND hold_expires_at <= now()
      ORDER BY hold_expires_at LIMIT :holds_max FOR UPDATE SKIP LOCKED)
    RETURNING order_id),
  told AS (
    INSERT INTO sandbox_events (events, at, due_at)
    SELECT json_agg(json_build_object('order_id', order_id, 'kind', 'payment.expired', 'status', 'expired')),
      now(), now()
    FROM (SELECT order_id, (row_number() OVER () - 1) / {EVENTS_PER_MESSAGE_MAX} AS parcel FROM over) numbered
    GROUP BY parcel)
  SELECT count(*) FROM over""")  # noqa: S608 - a constant

FORGET = Statement("""
  DELETE FROM sandbox_events
  WHERE id IN (SELECT id FROM sandbox_events ORDER BY id LIMIT :rows_max)
    AND (delivered_at < now() - interval '1 day' OR at < now() - interval '3 days')""")
"""What nobody heard for three days is given up, as providers do: whoever missed it looks the payments up."""

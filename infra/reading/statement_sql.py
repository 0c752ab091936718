"""The statements behind a merchant's account: they read the ledger alone, by its index for merchants."""

from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

_CAPTURED = "l.from_account = 'shopper_hold' AND l.to_account = 'merchant_payable'"
_FEE = "l.from_account = 'merchant_payable' AND l.to_account = 'platform_fee'"
_REWARD = "l.from_account = 'merchant_payable' AND l.to_account = 'leader_reward'"
_FEE_RETURNED = "l.from_account = 'platform_fee'"
_REWARD_RETURNED = "l.from_account = 'leader_reward'"
_OWED_TO_SHOPPER = "CASE WHEN {0}.to_account = 'refunds' THEN {0}.amount_minor ELSE -{0}.amount_minor END"

# `cause <> 'hold'` is said apart, as the partial index says it.
_OF_MERCHANT = """
  l.merchant_id = CAST(:merchant_id AS uuid) AND l.cause <> 'hold' AND l.cause <> 'refund_made'
  AND l.at < CAST(:end AS timestamptz)
  AND (CAST(:currency AS text) IS NULL OR l.currency = CAST(:currency AS text))"""


def _sum(condition: str, amount: str = "l.amount_minor") -> str:
    return f"coalesce(sum({amount}) FILTER (WHERE {condition} AND l.at >= CAST(:begin AS timestamptz)), 0)"


BALANCES: Final = text(f"""
  SELECT coalesce(json_agg(b ORDER BY b.currency), '[]')::text FROM (
    SELECT *, opening + captured + fees + rewards + refunds + fees_returned + rewards_returned AS closing FROM (
      SELECT l.currency,
        coalesce(sum(CASE 'merchant_payable' WHEN l.to_account THEN l.amount_minor
                                             WHEN l.from_account THEN -l.amount_minor ELSE 0 END)
                 FILTER (WHERE l.at < CAST(:begin AS timestamptz)), 0) AS opening,
        {_sum(_CAPTURED)} AS captured,
        -{_sum(_FEE)} AS fees,
        -{_sum(_REWARD)} AS rewards,
        -{_sum("l.cause = 'refund'", _OWED_TO_SHOPPER.format("l"))} AS refunds,
        {_sum(f"l.cause = 'refund' AND {_FEE_RETURNED}")} AS fees_returned,
        {_sum(f"l.cause = 'refund' AND {_REWARD_RETURNED}")} AS rewards_returned
      FROM ledger l WHERE {_OF_MERCHANT} GROUP BY l.currency) sums) b""")  # noqa: S608 - constants
"""Amounts with their sign, by currency; what the platform and leaders give back of a refund is not the merchant's."""


@cache
def statement_lines(*, is_first: bool) -> TextClause:
    """`rows_max` lines of the period in order; where it is no first page after `after_at`, `after_id`, `after_part`.

    A refund is up to three movements: its first one stands for the whole, the others say who gives a part back.
    """
    place = "(CAST(:after_at AS timestamptz), CAST(:after_id AS bigint))"
    after = (
        ""
        if is_first
        else f"AND (l.at, l.id) >= {place} AND ((l.at, l.id) > {place} OR line.part > CAST(:after_part AS int))"
    )
    return text(f"""
      SELECT coalesce(json_agg(q), '[]')::text FROM (
        SELECT l.id, line.part, l.at, line.cause, l.order_id, l.group_id, l.deal_id, d.title AS deal_title, l.currency,
          line.amount_minor
        FROM ledger l JOIN deals d ON d.id = l.deal_id
        CROSS JOIN LATERAL (
          SELECT 0 AS part, 'captured' AS cause, l.amount_minor::numeric WHERE {_CAPTURED}
          UNION ALL SELECT 0, 'fee', -l.amount_minor WHERE {_FEE}
          UNION ALL SELECT 0, 'reward', -l.amount_minor WHERE {_REWARD}
          UNION ALL SELECT 0, 'refund', -whole.amount_minor FROM (
            SELECT min(m.id) AS id, sum({_OWED_TO_SHOPPER.format("m")}) AS amount_minor
            FROM ledger m WHERE l.cause = 'refund' AND m.cause_id = l.cause_id AND m.cause = 'refund') whole
            WHERE whole.id = l.id
          UNION ALL SELECT 1, 'fee_returned', l.amount_minor WHERE l.cause = 'refund' AND {_FEE_RETURNED}
          UNION ALL SELECT 2, 'reward_returned', l.amount_minor WHERE l.cause = 'refund' AND {_REWARD_RETURNED}
        ) AS line
        WHERE {_OF_MERCHANT} AND l.at >= CAST(:begin AS timestamptz) {after}
        ORDER BY l.at, l.id, line.part LIMIT :rows_max) q""")  # noqa: S608 - constants

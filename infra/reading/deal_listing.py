"""The statements that list deals: one for each shape of question, built once."""

from functools import cache

from sqlalchemy import CompoundSelect, Integer, Select, bindparam, union_all
from sqlalchemy.dialects.postgresql import UUID

from domain.groupbuy.deal import DealStatus
from infra.reading.deal_orders import STRETCHES, DealPosition, DealSort
from infra.reading.deal_rows import all_columns, deals_document
from infra.reading.deal_status import has_status, is_public
from infra.reading.documents import now
from infra.reading.search import holds_every_word
from infra.tables import deals


@cache
def listing(
    status: DealStatus, sort: DealSort, *, of_merchant: bool, with_words: bool, after: type[DealPosition] | None
) -> Select[tuple[str]]:
    """The document of a page.

    Its parameters are `rows_max`, as the shape asks for them `merchant_id` and `patterns`, and those of the position.
    """
    chosen = all_columns().where(has_status(status, now()))
    if of_merchant:
        chosen = chosen.where(deals.c.merchant_id == bindparam("merchant_id", type_=UUID))
    if status is not DealStatus.DRAFT:
        # said apart, as the partial indexes say it
        chosen = chosen.where(is_public())
    if with_words:
        chosen = chosen.where(holds_every_word())
    return deals_document(_in_order(chosen, status, sort, after))


def _in_order(
    chosen: Select[tuple[object, ...]], status: DealStatus, sort: DealSort, after: type[DealPosition] | None
) -> Select[tuple[object, ...]] | CompoundSelect[tuple[object, ...]]:
    """Walk the order's stretches one after the other, from the one the position is in."""
    stretches = STRETCHES[sort]
    begins_with = stretches.index(after) if after else 0
    rows_max = bindparam("rows_max", type_=Integer)
    walks = []
    for stretch in stretches[begins_with:]:
        walk = chosen.where(stretch.within(status)).order_by(*stretch.order()).limit(rows_max)
        walks.append(walk.where(stretch.follows()) if stretch is after else walk)
    if len(walks) == 1:
        return walks[0]
    both = union_all(*walks)
    key = (both.selected_columns.ends_at, both.selected_columns.id)
    return both.order_by(*key).limit(rows_max)

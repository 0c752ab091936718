"""The statements that list groups and participants, built once.

Each answers `rows_max` rows, and where it is not the first page those after a place.
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, exists, false, func, select, text, true, tuple_

from infra.reading.documents import list_document, literal, now
from infra.reading.selves import SELVES
from infra.tables import groups, participants, variants
from infra.tables_identity import accounts

NO_TIER_TO_COME = 2**31 - 1
"""Sorts groups at their lowest price behind all others."""


@cache
def open_groups(*, is_first: bool) -> Select[tuple[str]]:
    """Groups of `deal_id` one could join: none once it is sold out; after `after_needed`, `after_id`.

    Thousands may be open: their keys are sorted alone, and whole rows are read for the page only.
    """
    needed = func.coalesce(groups.c.next_tier_at - groups.c.participants, NO_TIER_TO_COME)
    # `IS true` keeps the planner off the index over all deadlines: it would walk the groups of every other deal
    has_time = (groups.c.expires_at > now()).is_(true())
    nearest = select(groups.c.deal_id, groups.c.id, needed.label("needed"))
    nearest = nearest.where(groups.c.deal_id == bindparam("deal_id"), groups.c.status == literal("open"), has_time)
    is_left = exists().where(variants.c.deal_id == bindparam("deal_id"), variants.c.stock_left > 0)
    nearest = nearest.where(is_left).order_by(needed, groups.c.id).limit(bindparam("rows_max"))
    if not is_first:
        place = tuple_(bindparam("after_needed", type_=Integer), bindparam("after_id", type_=groups.c.id.type))
        nearest = nearest.where(tuple_(needed, groups.c.id) > place)
    page = nearest.subquery("nearest")
    whole = select(*groups.c).join_from(page, groups, (groups.c.deal_id == page.c.deal_id) & (groups.c.id == page.c.id))
    return list_document(whole.order_by(page.c.needed, page.c.id).subquery("open_group"))


@cache
def participants_of_group() -> Select[tuple[str]]:
    """Who is in `group_id`, by the name and with the picture of now; after `after_number`."""
    place = participants.c
    leader_id = select(groups.c.leader_id).where(groups.c.id == bindparam("group_id")).scalar_subquery()
    is_leader = func.coalesce(place.shopper_id == leader_id, false()).label("is_leader")
    shown = select(place.number, place.shopper_id, place.display_name, place.joined_at, is_leader)
    shown = shown.where(place.group_id == bindparam("group_id"), place.number > bindparam("after_number"))
    page = shown.order_by(place.number).limit(bindparam("rows_max")).subquery("place")
    profile = profile_of(page.c.shopper_id)
    return list_document(select(*page.c, profile).order_by(page.c.number).subquery("participant"))


def profile_of(account_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """`[name, picture]` of an account, a merged guest's being the person's; null where there is none.

    Two looks by key for each row that is shown.
    """
    own = accounts.alias("own")
    whose = select(func.coalesce(own.c.merged_into, own.c.id)).where(own.c.id == account_id).correlate_except(own)
    said = func.json_build_array(accounts.c.display_name, accounts.c.avatar_url)
    profile = select(said).where(accounts.c.id == whose.scalar_subquery()).correlate_except(accounts)
    return profile.scalar_subquery().label("profile")


@cache
def groups_of_shopper(*, is_first: bool, has_merged: bool = False) -> Select[tuple[str]]:
    """Groups `shopper_id` is in, each with the place; after `after_joined_at`, `after_id`.

    With several ids all of their places are looked at, not only those of the page.
    """
    place = participants.c
    key = (place.joined_at, place.group_id)
    is_mine = text(f"shopper_id IN {SELVES}") if has_merged else place.shopper_id == bindparam("shopper_id")
    mine = select(*place).where(is_mine)
    if not is_first:
        after = (
            bindparam("after_joined_at", type_=place.joined_at.type),
            bindparam("after_id", type_=place.group_id.type),
        )
        mine = mine.where(tuple_(*key) < tuple_(*after))
    page = mine.order_by(*(column.desc() for column in key)).limit(bindparam("rows_max")).subquery("place")
    columns = (func.to_json(page.table_valued()).label("place"), func.to_json(groups.table_valued()).label("group"))
    in_group = (groups.c.deal_id == page.c.deal_id) & (groups.c.id == page.c.group_id)
    both = select(*columns).join_from(page, groups, in_group)
    return list_document(both.order_by(page.c.joined_at.desc(), page.c.group_id.desc()).subquery("my_group"))

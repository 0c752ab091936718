"""What a place holds: a quantity of a variant, within the stock and the limit per shopper."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.errors import InvalidInput
from domain.groupbuy.commands import CloseGroup, EditDeal, OpenGroup, PauseDeal, ResumeDeal
from domain.groupbuy.deal import QUANTITY_MAX
from domain.groupbuy.errors import (
    GuestsMayNotBuy,
    OutOfStock,
    UnitsLimitReached,
    VariantNotFound,
    VariantRequired,
)
from tests.domain.catalogue import (
    ANN,
    BEN,
    BLUE,
    CAT,
    DEAL,
    ELSEWHERE,
    GROUP,
    LIFETIME,
    MERCHANT,
    OTHER_DEAL,
    OTHER_GROUP,
    RED,
    Scene,
    a_group,
    join,
    wrong_fields,
)


@pytest.mark.parametrize("quantity", [-1, 0, QUANTITY_MAX + 1])
def test_a_quantity_is_at_least_one(quantity: int) -> None:
    """Quantities below one, or beyond reason, are named."""
    scene = a_group(variants=(replace(RED, stock=5_000),))
    assert wrong_fields(scene.refuses(join(quantity=quantity), InvalidInput)) == ["quantity"]
    assert scene.does(join(quantity=QUANTITY_MAX))


@pytest.mark.parametrize("display_name", ["", "  ", "x" * 61, "a\x00", "\ud800"])
def test_a_display_name_can_be_shown(display_name: str) -> None:
    """Names that would break a page or a database are named."""
    scene = a_group()
    assert wrong_fields(scene.refuses(join(display_name=display_name), InvalidInput)) == ["display_name"]
    assert scene.does(join(display_name="x" * 60))


def test_a_variant_is_chosen_where_there_are_several() -> None:
    """Wrong and foreign variants are refused by name; each variant has its own stock."""
    scene = Scene()
    scene.live(variants=(RED, BLUE))
    scene.live(OTHER_DEAL, (replace(RED, id=ELSEWHERE),))
    command = OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=GROUP, shopper_id=ANN)
    scene.refuses(command, VariantRequired)
    scene.refuses(replace(command, variant_id=ELSEWHERE), VariantNotFound)
    scene.does(replace(command, variant_id=BLUE.id))
    scene.refuses(join(variant_id=None), VariantRequired)
    scene.refuses(join(variant_id=ELSEWHERE), VariantNotFound)
    scene.refuses(join(variant_id=BLUE.id), OutOfStock)
    scene.does(join(variant_id=RED.id))
    assert (scene.stock_left(RED), scene.stock_left(BLUE)) == (9, 0)


def test_the_last_unit_is_sold_once() -> None:
    """Promise 1: a quantity just within the stock is taken, one more is refused and says what is left."""
    scene = Scene()
    scene.live(variants=(replace(RED, stock=4),), group_size_max=4)
    scene.opened(quantity=1)
    assert "Only 3 units" in str(scene.refuses(join(quantity=4), OutOfStock))
    scene.does(join(quantity=3))
    assert scene.stock_left() == 0
    assert "sold out" in str(scene.refuses(join(CAT), OutOfStock))
    scene.refuses(OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=OTHER_GROUP, shopper_id=CAT), OutOfStock)


def test_the_limit_of_units_counts_over_all_groups_that_hold_them() -> None:
    """Promise 1: the first purchase counts, as do open and succeeded groups; failed ones do not."""
    scene = Scene()
    scene.live(units_per_shopper_max=3)
    command = OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=GROUP, shopper_id=ANN, quantity=4)
    scene.refuses(command, UnitsLimitReached)
    scene.does(replace(command, quantity=2))
    second = OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=OTHER_GROUP, shopper_id=ANN, quantity=2)
    assert "you hold 2 already" in str(scene.refuses(second, UnitsLimitReached))
    scene.now += LIFETIME
    scene.does(CloseGroup(group_id=GROUP))
    scene.does(replace(second, quantity=3))
    scene.joined(BEN, group_id=OTHER_GROUP)
    scene.now += LIFETIME
    scene.does(CloseGroup(group_id=OTHER_GROUP))
    scene.refuses(replace(second, group_id=ELSEWHERE, quantity=1), UnitsLimitReached)
    scene.live(OTHER_DEAL, (replace(RED, id=ELSEWHERE),), units_per_shopper_max=1)
    scene.opened(ANN, ELSEWHERE, OTHER_DEAL)


def test_a_deal_may_be_for_shoppers_who_are_known() -> None:
    """Promise 1 per person: guests neither open nor join there; a group opened before an edit keeps its terms."""
    scene = a_group()
    guest = replace(join(BEN), is_guest=True)
    scene.does(PauseDeal(deal_id=DEAL, merchant_id=MERCHANT))
    scene.does(EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes={"guests_may_buy": False}))
    scene.does(ResumeDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=ELSEWHERE))
    opening = OpenGroup(order_id=uuid4(), deal_id=DEAL, group_id=OTHER_GROUP, shopper_id=CAT, is_guest=True)
    assert "Sign in" in str(scene.refuses(opening, GuestsMayNotBuy))
    scene.does(replace(opening, is_guest=False))
    scene.refuses(replace(guest, group_id=OTHER_GROUP), GuestsMayNotBuy)
    scene.does(guest)
    scene.does(replace(guest, group_id=OTHER_GROUP, is_guest=False))


def test_units_under_other_ids_count_for_the_limit() -> None:
    """Somebody who shopped as a guest before has the guest's units too."""
    scene = a_group(units_per_shopper_max=3)
    refused = scene.refuses(replace(join(BEN, quantity=2), units_elsewhere=2), UnitsLimitReached)
    assert "you hold 2 already" in str(refused)
    scene.does(replace(join(BEN, quantity=1), units_elsewhere=2))

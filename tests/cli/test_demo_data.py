"""What a newcomer finds in an empty database."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.deal import Grouping
from domain.groupbuy.payment import PaymentTerms
from infra import demo_data, tables
from infra.payments import stripe_gateway
from infra.payments.merchant_terms import SETTLED_WITHIN_S
from infra.payments.sandbox import gateway as sandbox

A_DOLLAR_IN_YUAN = 7
FIFTY_DOLLARS_MINOR = 5000
SHORTEST_HOLD_S = min(stripe_gateway.HOLD_LIFETIME_S, sandbox.HOLD_LIFETIME_S) - SETTLED_WITHIN_S


async def test_a_dozen_deals_in_two_currencies_and_both_groupings_are_for_sale(engine: AsyncEngine) -> None:
    """The first look at the API shows deals of every kind there is, all published, nothing above 50 dollars."""
    loaded = await demo_data.load(engine, PaymentTerms("sandbox", 250))

    async with engine.connect() as connection:
        deals = (await connection.execute(select(tables.deals))).all()
        variants_of_a_deal = await connection.scalars(
            select(func.count()).select_from(tables.variants).group_by(tables.variants.c.deal_id)
        )
        counts = variants_of_a_deal.all()
    assert len(deals) == loaded >= 12
    assert {deal.currency for deal in deals} == {"USD", "CNY"}
    assert {deal.grouping for deal in deals} == {grouping.value for grouping in Grouping}
    assert {deal.lifecycle for deal in deals} == {"published"}
    assert {deal.payment["gateway"] for deal in deals} == {"sandbox"}
    assert max(deal.group_lifetime_s for deal in deals) <= SHORTEST_HOLD_S
    assert len({deal.merchant_id for deal in deals}) == 3
    assert any(deal.starts_at for deal in deals)
    assert sum(count > 1 for count in counts) >= 4
    for deal in deals:
        limit = FIFTY_DOLLARS_MINOR * (A_DOLLAR_IN_YUAN if deal.currency == "CNY" else 1)
        assert deal.solo_price < limit


async def test_no_shopper_is_invented(engine: AsyncEngine) -> None:
    """Promise 9: real people only, so a fresh database has nobody in any group."""
    await demo_data.load(engine)

    async with engine.connect() as connection:
        participants = await connection.scalar(select(func.count()).select_from(tables.participants))
        groups = (await connection.execute(select(tables.groups))).all()
    assert participants == 0
    assert {group.leader_id for group in groups} == {None}  # the crowds' own groups, open and empty


async def test_a_database_with_deals_is_left_alone(engine: AsyncEngine) -> None:
    """Demo data never comes on top of somebody's own deals."""
    first = await demo_data.load(engine)

    assert await demo_data.load(engine) == 0
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(tables.deals)) == first

"""From a draft to a closed group, through HTTP alone."""

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.runtime import started
from infra.settings import Settings
from tests.api.people import Town, problem
from tests.reading.shop import Shop


async def test_the_price_falls_as_people_join_and_everybody_pays_the_last_price(town: Town) -> None:
    """Promises 2 and 3: the unit price drops tier by tier; at closing each pays the price of the final count."""
    leader = town.shopper("Ada")
    group = await town.open_group(leader, group_size_max=4)
    path = f"/v1/groups/{group['id']}"
    prices = [group["unit_price"]]
    members = [leader, *(town.shopper() for _ in range(3))]
    for member in members[1:]:
        joined = await member.post(f"{path}/participants")
        assert joined.status_code == 201, joined.text
        assert joined.json()["you"]["hold"] == 900
        prices.append(joined.json()["unit_price"])
    assert prices == [900, 900, 900, 700]
    for member in members:
        seen = (await member.get(path)).json()
        assert (seen["status"], seen["unit_price"], seen["you"]["pays"]) == ("succeeded", 700, 700)
    late = await town.shopper().post(f"{path}/participants")
    problem(late, 409, "group-full")


async def test_a_repeated_join_answers_as_the_first_did(town: Town) -> None:
    """Promise 6: joining twice is one place, and the second answer is 200 with the same place."""
    group = await town.open_group()
    shopper = town.shopper()
    first = await shopper.post(f"/v1/groups/{group['id']}/participants", {"quantity": 2})
    again = await shopper.post(f"/v1/groups/{group['id']}/participants", {"quantity": 1})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.headers["location"] == f"/v1/groups/{group['id']}"


async def test_whoever_just_joined_sees_a_group_that_knows_it(
    town: Town, engine: AsyncEngine, settings: Settings
) -> None:
    """A state as old as may be shown, and one's own place in it that is newer, would contradict each other."""
    mei = town.shopper()
    async with started(settings, "another process") as elsewhere:
        shop = Shop(engine, elsewhere.batcher, town.merchant.subject)
        group_id = await shop.opened(await shop.live())
        path = f"/v1/groups/{group_id}"
        assert (await town.nobody.get(path)).json()["participants"] == 1
        await shop.joined(group_id, mei.subject)
        seen = (await mei.get(path)).json()
    assert seen["you"]["status"] == "joined"
    assert seen["participants"] == 2

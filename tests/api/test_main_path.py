"""From a draft to a closed group, through HTTP alone."""

from tests.api.people import Town, problem


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

"""A guest and somebody known are one shopper once merged: one place, one limit of units, whatever happens at once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.people import Person, problem
from tests.identity.members import signed_in, signed_in_as_guest
from tests.identity.shopping import code_for, join, known, listed, places
from tests.identity.signing_in import Doors


async def test_one_shopper_has_one_place(doors: Doors, engine: AsyncEngine) -> None:
    """Promise 1: where the guest is in, one is in; joining again finds that place, and leaving gives it up."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    group = await doors.town.open_group(tiers=[{"participants": 4, "unit_price": 900}])
    order_id = (await join(guest, group))["you"]["order_id"]
    back = await signed_in(doors.town, mei.phone, guest)
    answers = await asyncio.gather(*(join(back, group) for _ in range(10)))
    assert {answer["you"]["order_id"] for answer in answers} == {order_id}
    assert {answer["participants"] for answer in answers} == {2}
    path = f"/v1/groups/{group['id']}/participants/me"
    assert (await back.ask("DELETE", path)).status_code == 204
    assert (await back.get(f"/v1/groups/{group['id']}")).json()["you"] is None
    assert (await join(back, group))["participants"] == 2
    assert await places(engine, back, guest) == {UUID(group["id"]): 1}


async def test_two_places_of_before_are_two_still(doors: Doors) -> None:
    """Whoever joined a group as both holds two places, each paid for: both are shown, and each can be given up."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    group = await doors.town.open_group(tiers=[{"participants": 5, "unit_price": 900}])
    orders = {(await join(who, group))["you"]["order_id"] for who in (mei, guest)}
    back = await signed_in(doors.town, mei.phone, guest)
    assert await listed(back, "/v1/me/groups") == [group["id"]] * 2
    assert set(await listed(back, "/v1/me/orders")) == orders
    path = f"/v1/groups/{group['id']}"
    for left in (2, 1):
        assert (await back.ask("DELETE", f"{path}/participants/me")).status_code == 204
        assert (await back.get(path)).json()["participants"] == left
    assert (await back.get(path)).json()["you"] is None


@pytest.mark.parametrize("way", ["join", "open", "alone"])
async def test_units_of_both_count_for_the_limit(doors: Doors, way: str) -> None:
    """Promise 1: what was taken as a guest counts, however more is taken."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    deal = await doors.town.live_deal(units_per_shopper_max=3)
    groups = f"/v1/deals/{deal['id']}/groups"
    mine, another = [(await doors.town.shopper().post(groups)).json() for _ in range(2)]
    await join(guest, mine, quantity=2)
    back = await signed_in(doors.town, mei.phone, guest)
    paths = {
        "join": f"/v1/groups/{another['id']}/participants",
        "open": groups,
        "alone": f"/v1/deals/{deal['id']}/orders",
    }
    details = problem(await back.post(paths[way], {"quantity": 2}), 409, "units-limit-reached")
    assert "you hold 2 already" in details["detail"]
    assert (await back.post(paths[way], {"quantity": 1})).status_code == 201


async def test_what_several_guests_bought_is_kept_and_nothing_is_added(doors: Doors) -> None:
    """Promises 1 and 6: beyond the limit as three nobody knew, one keeps every place, and takes no further unit."""
    mei, guests = await known(doors), [await signed_in_as_guest(doors.town) for _ in range(3)]
    deal = await doors.town.live_deal(units_per_shopper_max=2)
    groups = f"/v1/deals/{deal['id']}/groups"
    *taken, another = [(await doors.town.shopper().post(groups)).json() for _ in range(4)]
    for guest, group in zip(guests, taken, strict=True):
        await join(guest, group, quantity=2)
    for guest in guests:
        mei = await signed_in(doors.town, mei.phone, guest)
    assert set(await listed(mei, "/v1/me/groups")) == {group["id"] for group in taken}
    for path in (groups, f"/v1/groups/{another['id']}/participants", f"/v1/deals/{deal['id']}/orders"):
        details = problem(await mei.post(path, {"quantity": 1}), 409, "units-limit-reached")
        assert "you hold 6 already" in details["detail"]


async def test_a_deal_for_people_who_are_known_asks_guests_to_sign_in(doors: Doors) -> None:
    """Promise 1 per person: in no way does a guest get units; signed in, and the same again, one does."""
    guest = await signed_in_as_guest(doors.town)
    deal = await doors.town.live_deal(units_per_shopper_max=2, guests_may_buy=False)
    assert deal["guests_may_buy"] is False
    groups = f"/v1/deals/{deal['id']}/groups"
    group = (await doors.town.shopper().post(groups)).json()
    for path in (groups, f"/v1/groups/{group['id']}/participants", f"/v1/deals/{deal['id']}/orders"):
        details = problem(await guest.post(path, {"quantity": 1}), 403, "guests-may-not-buy")
        assert "Sign in" in details["detail"]
    mei = await signed_in(doors.town, guest=guest)
    assert (await join(mei, group, quantity=2))["you"]["quantity"] == 2


async def test_a_guests_link_stands_where_ones_own_is_taken_back(doors: Doors) -> None:
    """One link for each channel: of two there were before, the one that is not revoked."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    path = f"/v1/groups/{(await doors.town.open_group())['id']}/invites"
    own, of_guest = [(await who.post(path)).json()["code"] for who in (mei, guest)]
    back = await signed_in(doors.town, mei.phone, guest)
    assert (await back.post(path)).json()["code"] == own
    assert (await back.ask("DELETE", f"/v1/invites/{own}")).status_code == 204
    assert (await back.post(path)).json()["code"] == of_guest
    assert (await back.ask("DELETE", f"/v1/invites/{of_guest}")).status_code == 204
    assert (await back.post(path)).status_code == 201


async def test_units_that_were_given_up_count_no_more(doors: Doors) -> None:
    """Places left, and groups that failed, are nobody's units."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    deal = await doors.town.live_deal(units_per_shopper_max=2, tiers=[{"participants": 5, "unit_price": 900}])
    groups = f"/v1/deals/{deal['id']}/groups"
    left, cancelled, other = [(await doors.town.shopper().post(groups)).json() for _ in range(3)]
    await join(guest, left)
    await join(guest, cancelled)
    back = await signed_in(doors.town, mei.phone, guest)
    problem(await back.post(f"/v1/groups/{other['id']}/participants"), 409, "units-limit-reached")
    assert (await back.ask("DELETE", f"/v1/groups/{left['id']}/participants/me")).status_code == 204
    assert (await doors.town.merchant.post(f"/v1/groups/{cancelled['id']}/cancel")).status_code == 200
    assert (await join(back, other, quantity=2))["you"]["quantity"] == 2


async def test_joins_of_a_guest_who_is_being_merged_are_not_lost(doors: Doors, engine: AsyncEngine) -> None:
    """Promise 6: of joins and a sign-in at the same time each join is answered and kept, or refused with 401."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    groups = [await doors.town.open_group() for _ in range(12)]

    async def tries(group: dict[str, Any]) -> str | None:
        answer = await guest.post(f"/v1/groups/{group['id']}/participants")
        assert answer.status_code in {201, 401}, answer.text
        return group["id"] if answer.status_code == 201 else None

    first = [asyncio.create_task(tries(group)) for group in groups[:6]]
    merging = asyncio.create_task(signed_in(doors.town, mei.phone, guest))
    joined = [await task for task in first]
    while not merging.done() and len(joined) < len(groups):
        joined.append(await tries(groups[len(joined)]))
    back = await merging
    kept = {group_id for group_id in joined if group_id is not None}
    assert set(await listed(back, "/v1/me/groups")) == kept
    assert all(count == 1 for count in (await places(engine, back, guest)).values())
    problem(await guest.post(f"/v1/groups/{groups[0]['id']}/participants"), 401, "not-authenticated")
    for group in groups:
        await join(back, group)
    assert await places(engine, back, guest) == {UUID(group["id"]): 1 for group in groups}


async def test_a_guest_becomes_one_person_only(doors: Doors) -> None:
    """Signed in to two accounts and a new one at once: the guest's group is in one of the three."""
    phones = [(await known(doors)).phone, (await known(doors)).phone, "+447911123456"]
    guest = await signed_in_as_guest(doors.town)
    group = await doors.town.open_group()
    await join(guest, group)
    codes = {phone: await code_for(doors, phone) for phone in phones}
    answers = await asyncio.gather(
        *(guest.post("/v1/sign-in/code", {"phone": phone, "code": code}) for phone, code in codes.items())
    )
    ways_in = [answer.status_code for answer in answers]
    assert set(ways_in) <= {200, 401}  # whoever came a moment later was a guest no more
    people = [await signed_in(doors.town, phone) for phone in phones]
    assert sorted([len(await listed(person, "/v1/me/groups")) for person in people]) == [0, 0, 1]
    assert len({person.subject for person in people}) == 3


async def test_a_guest_who_refreshes_meanwhile_has_nothing_of_it(doors: Doors) -> None:
    """Whichever comes first: once merged, no token of the guest's is good, also not one given out in that moment."""
    mei = await known(doors)
    for _ in range(3):
        guest = await signed_in_as_guest(doors.town)
        spent = {"refresh_token": guest.refresh_token}
        proof = {"phone": mei.phone, "code": await code_for(doors, mei.phone)}
        entered, refreshed = await asyncio.gather(
            guest.post("/v1/sign-in/code", proof), doors.town.nobody.post("/v1/sign-in/refresh", spent)
        )
        assert (entered.status_code, refreshed.status_code) in {(200, 200), (200, 403)}
        if refreshed.status_code == 200:
            late = Person(doors.town.client, guest.subject, refreshed.json()["access_token"])
            problem(await late.get("/v1/me/groups"), 401, "not-authenticated")
            again = {"refresh_token": refreshed.json()["refresh_token"]}
            problem(await doors.town.nobody.post("/v1/sign-in/refresh", again), 403, "refresh-token-refused")


async def test_many_guests_become_one_person_at_once(doors: Doors, engine: AsyncEngine) -> None:
    """Several devices of one person sign in at the same moment: each brings its group."""
    mei = await known(doors)
    guests = [await signed_in_as_guest(doors.town) for _ in range(4)]
    groups = [await doors.town.open_group() for _ in guests]
    for guest, group in zip(guests, groups, strict=True):
        await join(guest, group)
    doors.provider.wechat = {f"code-{number}": {"openid": "oMei"} for number in range(5)}
    link = await mei.post("/v1/me/identities", {"provider": "wechat", "code": "code-4"})
    assert link.status_code == 200
    answers = await asyncio.gather(
        *(guest.post("/v1/sign-in/wechat", {"code": f"code-{number}"}) for number, guest in enumerate(guests))
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    back = await signed_in(doors.town, mei.phone)
    assert set(await listed(back, "/v1/me/groups")) == {group["id"] for group in groups}
    assert await places(engine, back, *guests) == {UUID(group["id"]): 1 for group in groups}

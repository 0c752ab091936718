"""A guest who turns out to be somebody known: nothing is lost, and from then on the two are one shopper."""

import asyncio
import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.sign_in import _after
from tests.api.people import Person, problem
from tests.api.test_paying import finish
from tests.identity.members import Member, signed_in, signed_in_as_guest
from tests.identity.signing_in import Doors
from tests.money_shop import MoneyShop

_PLACES = text("""
  SELECT group_id, count(*) FROM participants WHERE shopper_id = ANY(CAST(:ids AS uuid[])) GROUP BY group_id""")

_WRITTEN = text("""
  SELECT (SELECT count(*) FROM addresses WHERE account_id = :id), (SELECT count(*) FROM devices WHERE account_id = :id),
    (SELECT display_name FROM accounts WHERE id = :id)""")


async def known(doors: Doors) -> Member:
    """Somebody with an account and a phone number."""
    return await signed_in(doors.town)


async def join(who: Person, group: dict[str, Any], **body: object) -> dict[str, Any]:
    """A place taken, or found; the answer."""
    answer = await who.post(f"/v1/groups/{group['id']}/participants", body or None)
    assert answer.status_code in {200, 201, 202}, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def listed(who: Person, path: str, key: str = "id") -> list[str]:
    """The ids of a list, turned page by page."""
    page = (await who.get(f"{path}?limit=1")).json()
    found = [item[key] for item in page["items"]]
    while page["next_cursor"]:
        page = (await who.get(f"{path}?limit=1&cursor={page['next_cursor']}")).json()
        found += [item[key] for item in page["items"]]
    return found


async def test_groups_orders_and_invites_are_theirs_who_the_guest_was(doors: Doors) -> None:
    """What a guest joined, ordered and shared is read, paid for and explained by the account signed in to."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    before, of_guest = await doors.town.open_group(), await doors.town.open_group()
    await join(mei, before)
    order_id = (await join(guest, of_guest))["you"]["order_id"]
    link = (await guest.post(f"/v1/groups/{of_guest['id']}/invites")).json()
    back = await signed_in(doors.town, mei.phone, guest)
    assert back.subject == mei.subject
    assert await listed(back, "/v1/me/groups") == [of_guest["id"], before["id"]]
    assert (await listed(back, "/v1/me/orders"))[0] == order_id
    seen = (await back.get(f"/v1/groups/{of_guest['id']}")).json()
    assert seen["you"]["order_id"] == order_id
    assert (await back.get(f"/v1/orders/{order_id}")).status_code == 200
    assert (await back.get(f"/v1/groups/{of_guest['id']}/explain")).json()["order_id"] == order_id
    assert (await back.post(f"/v1/orders/{order_id}/payment")).json()["status"] == "approved"
    again = await back.post(f"/v1/groups/{of_guest['id']}/invites")
    assert (again.status_code, again.json()["code"]) == (200, link["code"])
    stranger = await known(doors)
    assert (await stranger.get(f"/v1/orders/{order_id}")).status_code == 404
    assert (await stranger.get(f"/v1/groups/{of_guest['id']}/explain")).status_code == 404


async def test_a_payment_begun_as_a_guest_is_finished_as_oneself(doors: Doors) -> None:
    """The place stays kept, joining again shows it, and paid it counts: once."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    group = await doors.town.open_group()
    you = (await join(guest, group, payment_method="sandbox_step"))["you"]
    back = await signed_in(doors.town, mei.phone, guest)
    assert (await join(back, group))["you"]["order_id"] == you["order_id"]
    await finish(doors.town.client, you)
    assert (await back.post(f"/v1/orders/{you['order_id']}/payment")).json()["status"] == "approved"
    seen = (await back.get(f"/v1/groups/{group['id']}")).json()
    assert (seen["participants"], seen["you"]["status"]) == (2, "joined")


async def test_the_guests_sessions_end_and_ones_own_go_on(doors: Doors) -> None:
    """The guest's tokens are good for nothing; one's other phone refreshes once and then knows of the guest."""
    other_phone, guest = await known(doors), await signed_in_as_guest(doors.town)
    group = await doors.town.open_group()
    await join(guest, group)
    await signed_in(doors.town, other_phone.phone, guest)
    problem(await guest.get("/v1/me"), 401, "not-authenticated")
    spent = {"refresh_token": guest.refresh_token}
    problem(await doors.town.nobody.post("/v1/sign-in/refresh", spent), 403, "refresh-token-refused")
    problem(await other_phone.get("/v1/me/groups"), 401, "not-authenticated")
    other_phone = await other_phone.refreshed()
    assert await listed(other_phone, "/v1/me/groups") == [group["id"]]
    await signed_in(doors.town, other_phone.phone, await signed_in_as_guest(doors.town))
    assert (await other_phone.get("/v1/me")).json()["is_guest"] is False  # it knew of guests already


def test_the_token_of_a_merging_is_not_among_those_it_revokes() -> None:
    """Tokens say when they were issued to the millisecond, revocations to the microsecond, in the same millisecond."""
    revoked_before = datetime(2026, 5, 1, 12, 0, 0, 1_400, UTC).timestamp()
    issued = _after(datetime(2026, 5, 1, 12, 0, 0, 1_900, UTC), revoked_before).timestamp()
    assert math.floor(issued * 1000) / 1000 >= revoked_before


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
    assert await _places(engine, back, guest) == {UUID(group["id"]): 1}


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


async def test_ones_own_link_brings_nobody(doors: Doors) -> None:
    """A link shared as a guest does not count whoever shared it."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    group = await doors.town.open_group()
    link = (await guest.post(f"/v1/groups/{group['id']}/invites")).json()
    back = await signed_in(doors.town, mei.phone, guest)
    assert (await join(back, group, invite_code=link["code"]))["you"]["invite_code"] is None
    friend = await known(doors)
    assert (await join(friend, group, invite_code=link["code"]))["you"]["invite_code"] == link["code"]


async def test_a_retried_request_has_one_effect(doors: Doors) -> None:
    """Promise 6: a group opened as a guest, the answer lost, and opened again once signed in with the same key."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    deal = await doors.town.live_deal()
    asked = {"headers": {"idempotency-key": "the-phone-made-this"}}
    path = f"/v1/deals/{deal['id']}/groups"
    first = await guest.post(path, {"quantity": 2}, **asked)
    assert first.status_code == 201
    back = await signed_in(doors.town, mei.phone, guest)
    again = await back.post(path, {"quantity": 2}, **asked)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["idempotency-replayed"] == "true"
    problem(await back.post(path, {"quantity": 1}, **asked), 422, "idempotency-key-reused")
    assert await listed(back, "/v1/me/groups") == [first.json()["id"]]


async def test_the_goods_arrive_at_whoever_ordered_them(doors: Doors) -> None:
    """An order of the guest's is said to have arrived by the account, and the guest's address book is the account's."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    address = {"name": "Mei", "line1": "1 High Street", "city": "London", "country": "GB"}
    kept = await guest.post("/v1/me/addresses", {"address": address})
    assert kept.status_code == 201, kept.text
    shop = MoneyShop(doors.runtime.engine, doors.runtime.batcher, doors.town.merchant.subject)
    bought = (await shop.orders_of(await shop.live(needs_shipping=True), guest.subject, None))[0]
    back = await signed_in(doors.town, mei.phone, guest)
    book = (await back.get("/v1/me/addresses")).json()["items"]
    assert [each["address"]["line1"] for each in book] == ["1 High Street"]
    order = f"/v1/orders/{bought.order_id}"
    sent = {"carrier": "DHL", "tracking_number": "1"}
    assert (await doors.town.merchant.post(f"{order}/ship", sent)).status_code == 200
    problem(await (await known(doors)).post(f"{order}/deliver"), 404, "order-not-found")
    assert (await back.post(f"{order}/deliver")).json()["status"] == "delivered"


async def test_whoever_is_somebody_already_is_merged_with_nobody(doors: Doors) -> None:
    """Signing in to another account with one's own token along leaves both what they were."""
    mei, li = await known(doors), await known(doors)
    group = await doors.town.open_group()
    await join(mei, group)
    back = await signed_in(doors.town, li.phone, mei)
    assert back.subject == li.subject
    assert await listed(back, "/v1/me/groups") == []
    assert await listed(mei, "/v1/me/groups") == [group["id"]]


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
    assert all(count == 1 for count in (await _places(engine, back, guest)).values())
    problem(await guest.post(f"/v1/groups/{groups[0]['id']}/participants"), 401, "not-authenticated")
    for group in groups:
        await join(back, group)
    assert await _places(engine, back, guest) == {UUID(group["id"]): 1 for group in groups}


async def test_nothing_is_written_under_the_id_of_a_merged_guest(doors: Doors, engine: AsyncEngine) -> None:
    """A token of the guest's that counts still, as one from the command line may, adds no address, device or name."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    await signed_in(doors.town, mei.phone, guest)
    late = Person(
        doors.town.client, guest.subject, doors.town.issuer.issue(guest.subject, frozenset({"shopper"}), 3600)
    )
    address = {"name": "Mei", "line1": "1 High Street", "city": "London", "country": "GB"}
    problem(await late.post("/v1/me/addresses", {"address": address}), 404, "account-not-found")
    device = {"platform": "ios", "push_token": "of-the-guest"}
    problem(await late.post("/v1/me/devices", device), 404, "account-not-found")
    problem(await late.ask("PATCH", "/v1/me", {"display_name": "Nobody"}), 404, "account-not-found")
    async with engine.connect() as connection:
        assert (await connection.execute(_WRITTEN, {"id": guest.subject})).one() == (0, 0, None)


async def test_a_guest_becomes_one_person_only(doors: Doors) -> None:
    """Signed in to two accounts and a new one at once: the guest's group is in one of the three."""
    phones = [(await known(doors)).phone, (await known(doors)).phone, "+447911123456"]
    guest = await signed_in_as_guest(doors.town)
    group = await doors.town.open_group()
    await join(guest, group)
    codes = {phone: await _code(doors, phone) for phone in phones}
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
        proof = {"phone": mei.phone, "code": await _code(doors, mei.phone)}
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
    assert await _places(engine, back, *guests) == {UUID(group["id"]): 1 for group in groups}


async def _places(engine: AsyncEngine, *people: Person) -> dict[UUID, int]:
    """How many places each group has of these ids together."""
    async with engine.connect() as connection:
        rows = await connection.execute(_PLACES, {"ids": [person.subject for person in people]})
        return {row[0]: row[1] for row in rows}


async def _code(doors: Doors, phone: str) -> str:
    assert (await doors.town.nobody.post("/v1/sign-in/codes", {"phone": phone})).status_code == 202
    inbox = (await doors.town.nobody.get("/dev/inbox")).json()["items"]
    code: str = next(message["code"] for message in inbox if message["to"] == phone)
    return code

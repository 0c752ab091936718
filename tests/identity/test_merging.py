"""A guest who turns out to be somebody known: what was the guest's is theirs, and nothing is lost."""

import math
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.contract.examples import ADDRESS
from infra.identity.address_book import ADDRESSES_MAX
from infra.identity.devices import DEVICES_MAX
from infra.identity.sign_in import _after
from tests.api.people import Person, problem
from tests.api.test_paying import finish
from tests.identity.members import signed_in, signed_in_as_guest
from tests.identity.shopping import join, known, listed
from tests.identity.signing_in import Doors
from tests.money_shop import MoneyShop

_WRITTEN = text("""
  SELECT (SELECT count(*) FROM addresses WHERE account_id = :id), (SELECT count(*) FROM devices WHERE account_id = :id),
    (SELECT display_name FROM accounts WHERE id = :id)""")


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


async def test_the_newest_of_a_guests_addresses_fill_the_book(doors: Doors, engine: AsyncEngine) -> None:
    """Twenty and no more: one's own stay with their default, one that both had is one, and nothing is left behind."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    own = ["both", *(f"own {number}" for number in range(ADDRESSES_MAX - 4))]
    brought = [*(f"guest's {number}" for number in range(5)), "both"]
    await _write_down(mei, own)
    await _write_down(guest, brought)
    back = await signed_in(doors.town, mei.phone, guest)
    book = (await back.get("/v1/me/addresses")).json()["items"]
    assert [entry["label"] for entry in book] == [*own, "guest's 2", "guest's 3", "guest's 4"]
    assert [entry["label"] for entry in book if entry["is_default"]] == ["both"]
    problem(await back.post("/v1/me/addresses", {"label": "more", "address": ADDRESS}), 409, "too-many-addresses")
    document = (await back.get("/v1/me/export")).json()
    assert {row["id"] for row in document["addresses"]} == {entry["id"] for entry in book}
    async with engine.connect() as connection:
        assert (await connection.execute(_WRITTEN, {"id": guest.subject})).one() == (0, 0, None)


async def test_a_full_book_takes_nothing_and_an_empty_one_the_default_too(doors: Doors) -> None:
    """Somebody with twenty addresses keeps those; somebody with none has the guest's, and the guest's default."""
    guests = [await signed_in_as_guest(doors.town) for _ in range(2)]
    for guest in guests:
        await _write_down(guest, ["first", "second"])
        second = (await guest.get("/v1/me/addresses")).json()["items"][1]
        await guest.patch(f"/v1/me/addresses/{second['id']}", {"is_default": True})
    full, empty = await known(doors), await known(doors)
    labels = [str(number) for number in range(ADDRESSES_MAX)]
    await _write_down(full, labels)
    books = []
    for person, guest in zip((full, empty), guests, strict=True):
        back = await signed_in(doors.town, person.phone, guest)
        items = (await back.get("/v1/me/addresses")).json()["items"]
        books.append([(entry["label"], entry["is_default"]) for entry in items])
    assert books == [[(label, label == "0") for label in labels], [("second", True), ("first", False)]]


async def test_devices_of_both_are_twenty_at_most(doors: Doors) -> None:
    """The guest's phone is pushed to as the account's; of more than twenty those seen longest ago make room."""
    mei, guest = await known(doors), await signed_in_as_guest(doors.town)
    for number in range(DEVICES_MAX):
        await mei.post("/v1/me/devices", {"platform": "ios", "push_token": str(number)})
    await guest.post("/v1/me/devices", {"platform": "ios", "push_token": "guest"})
    back = await signed_in(doors.town, mei.phone, guest)
    tokens = [device["push_token"] for device in (await back.get("/v1/me/devices")).json()["items"]]
    assert tokens == ["guest", *(str(number) for number in range(DEVICES_MAX - 1, 0, -1))]


async def test_whoever_is_somebody_already_is_merged_with_nobody(doors: Doors) -> None:
    """Signing in to another account with one's own token along leaves both what they were."""
    mei, li = await known(doors), await known(doors)
    group = await doors.town.open_group()
    await join(mei, group)
    back = await signed_in(doors.town, li.phone, mei)
    assert back.subject == li.subject
    assert await listed(back, "/v1/me/groups") == []
    assert await listed(mei, "/v1/me/groups") == [group["id"]]


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


async def _write_down(who: Person, labels: list[str]) -> None:
    """Addresses in the book, one after the other."""
    for label in labels:
        answer = await who.post("/v1/me/addresses", {"label": label, "address": ADDRESS})
        assert answer.status_code == 201, answer.text

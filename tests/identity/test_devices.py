"""Devices to push to: each belongs to whoever registered it last."""

import asyncio

import pytest

from infra.identity.devices import DEVICES_MAX
from tests.api.people import Town, fields, problem
from tests.identity.members import Member, signed_in

DEVICES = "/v1/me/devices"


async def test_a_device_is_registered_at_each_start(town: Town) -> None:
    """The same token is the same device; forgotten it is pushed to no more."""
    mei = await signed_in(town)
    first = await mei.post(DEVICES, _device("a"))
    again = await mei.post(DEVICES, _device("a"))
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert again.json()["seen_at"] > first.json()["seen_at"]
    assert (await mei.post(DEVICES, {"platform": "android", "push_token": "a"})).status_code == 201
    assert await _tokens(mei) == ["a", "a"]
    assert (await mei.delete(f"{DEVICES}/{first.json()['id']}")).status_code == 204
    problem(await mei.delete(f"{DEVICES}/{first.json()['id']}"), 404, "device-not-found")
    assert await _tokens(mei) == ["a"]


async def test_a_phone_that_is_handed_on_belongs_to_its_new_owner(town: Town) -> None:
    """Nothing of the one is pushed to the other, and the old id is of no use to anybody."""
    mei, ben = await signed_in(town), await signed_in(town)
    old = (await mei.post(DEVICES, _device("a"))).json()
    new = await ben.post(DEVICES, _device("a"))
    assert new.status_code == 201
    assert (await _tokens(mei), await _tokens(ben)) == ([], ["a"])
    assert new.json()["id"] != old["id"]
    for somebody in (mei, ben):
        problem(await somebody.delete(f"{DEVICES}/{old['id']}"), 404, "device-not-found")
    problem(await mei.delete(f"{DEVICES}/{new.json()['id']}"), 404, "device-not-found")


async def test_a_token_two_accounts_register_at_once_is_of_one_of_them(town: Town) -> None:
    """Whatever comes at once, one row holds it."""
    people = [await signed_in(town) for _ in range(4)]
    answers = await asyncio.gather(*(person.post(DEVICES, _device("a")) for person in people * 3))
    assert {answer.status_code for answer in answers} <= {200, 201, 404}
    assert sorted([await _tokens(person) for person in people]) == [[], [], [], ["a"]]


async def test_twenty_devices_and_no_more(town: Town) -> None:
    """The one seen longest ago makes room: apps get new tokens and tidy up none."""
    mei = await signed_in(town)
    for number in range(DEVICES_MAX):
        await mei.post(DEVICES, _device(str(number)))
    await mei.post(DEVICES, _device("0"))
    await mei.post(DEVICES, _device("new"))
    assert await _tokens(mei) == ["new", "0", *(str(number) for number in range(DEVICES_MAX - 1, 1, -1))]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "pager", "push_token": "a"}, "platform"),
        ({"platform": "ios", "push_token": ""}, "push_token"),
        ({"platform": "ios", "push_token": "a b"}, "push_token"),
        ({"platform": "ios", "push_token": "a" * 2_001}, "push_token"),
        ({"platform": "ios"}, "push_token"),
    ],
)
async def test_what_is_no_device_is_refused(town: Town, body: dict[str, str], field: str) -> None:
    """The wrong field is named; the longest token there may be is kept."""
    mei = await signed_in(town)
    assert fields(await mei.post(DEVICES, body)) == {field}
    assert await _tokens(mei) == []
    assert (await mei.post(DEVICES, _device("é".encode().hex() * 500))).status_code == 201


async def test_a_token_of_no_account_has_no_devices(town: Town) -> None:
    """Operators' tokens are of nobody."""
    operator = Member(town.client, town.merchant.subject, town.merchant.token)
    problem(await operator.post(DEVICES, _device("a")), 404, "account-not-found")
    assert await _tokens(operator) == []


def _device(push_token: str) -> dict[str, str]:
    return {"platform": "ios", "push_token": push_token}


async def _tokens(member: Member) -> list[str]:
    return [device["push_token"] for device in (await member.get(DEVICES)).json()["items"]]

"""Idempotency keys: one effect and the same answer, however often a request comes."""

import asyncio
from typing import Any

from tests.api.people import Person, Town, deal_body, fields, problem


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"idempotency-key": key}}


async def test_a_deal_is_written_once_for_a_key(town: Town) -> None:
    """Promise 6: the same key and request get the same bytes, status and Location, and there is one draft."""
    first = await town.merchant.post("/v1/deals", deal_body(), **keyed("k 1"))
    again = await town.merchant.post("/v1/deals", deal_body(), **keyed("k 1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await town.merchant.get("/v1/deals?status=draft")).json()["items"]) == 1


async def test_two_keys_on_one_request_are_refused(town: Town) -> None:
    """Which of two keys counts would be anybody's guess."""
    two = [("idempotency-key", "one"), ("idempotency-key", "two"), ("authorization", f"Bearer {town.merchant.token}")]
    assert fields(await town.client.post("/v1/deals", json=deal_body(), headers=two)) == {"Idempotency-Key"}


async def test_a_group_is_opened_once_for_a_key_under_a_race(town: Town) -> None:
    """Promise 6: twenty retries at once open one group."""
    deal, leader = await town.live_deal(), town.shopper()
    path = f"/v1/deals/{deal['id']}/groups"
    answers = await asyncio.gather(*(leader.post(path, {"quantity": 2}, **keyed("open")) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await town.nobody.get(path)).json()["items"]) == 1


async def test_a_key_belongs_to_one_request_of_one_caller(town: Town) -> None:
    """Another body, path or method under the same key is 422; another caller's keys are his own."""
    deal, leader = await town.live_deal(), town.shopper()
    path = f"/v1/deals/{deal['id']}/groups"
    opened = await leader.post(path, **keyed("mine"))
    problem(await leader.post(path, {"quantity": 2}, **keyed("mine")), 422, "idempotency-key-reused")
    other = await town.live_deal()
    problem(await leader.post(f"/v1/deals/{other['id']}/groups", **keyed("mine")), 422, "idempotency-key-reused")
    of_another = await town.shopper().post(path, **keyed("mine"))
    assert of_another.status_code == 201
    assert of_another.json()["id"] != opened.json()["id"]


async def test_what_is_meant_counts_not_how_it_is_spelled(town: Town) -> None:
    """An empty body and its defaults written out are the same request."""
    deal, leader = await town.live_deal(), town.shopper()
    path = f"/v1/deals/{deal['id']}/groups"
    bodies: list[object] = [None, {}, {"quantity": 1}, {"invite_code": None, "quantity": 1}]
    answers = [await leader.post(path, body, **keyed("same")) for body in bodies]
    assert len({answer.content for answer in answers}) == 1


async def test_joins_and_invites_take_keys_too(town: Town) -> None:
    """A join that comes late again, after its shopper has left, is the old answer and no new place."""
    group = await town.open_group(tiers=[{"participants": 3, "unit_price": 900}])
    path, shopper = f"/v1/groups/{group['id']}", town.shopper()
    joined = await shopper.post(f"{path}/participants", **keyed("join"))
    shared = await shopper.post(f"{path}/invites", {"channel": "poster"}, **keyed("share"))
    assert (joined.status_code, shared.status_code) == (201, 201)
    assert (await shopper.ask("DELETE", f"{path}/participants/me")).status_code == 204
    late = await shopper.post(f"{path}/participants", **keyed("join"))
    assert (late.status_code, late.content) == (201, joined.content)
    assert (await shopper.post(f"{path}/invites", {"channel": "poster"}, **keyed("share"))).content == shared.content
    assert (await town.nobody.get(path)).json()["participants"] == 1


async def test_a_refused_request_leaves_its_key_free(town: Town) -> None:
    """A refusal is no effect: the same key may be used once the cause is gone."""
    deal, leader = await town.draft(), town.shopper()
    path = f"/v1/deals/{deal['id']}/groups"
    assert (await leader.post(path, **keyed("open"))).status_code == 404
    await town.merchant.post(f"/v1/deals/{deal['id']}/publish")
    assert (await leader.post(path, **keyed("open"))).status_code == 201


async def test_keys_are_short_and_printable(town: Town) -> None:
    """A key of 255 characters is fine; longer, empty or unprintable ones are 422 naming the header."""
    deal = await town.live_deal()
    path = f"/v1/deals/{deal['id']}/groups"

    async def status(shopper: Person, key: str) -> set[str] | int:
        answer = await shopper.post(path, headers={"idempotency-key": key.encode("latin-1")})
        return answer.status_code if answer.status_code == 201 else fields(answer)

    assert await status(town.shopper(), "~" * 255) == 201
    for key in ("~" * 256, "", " ", "caf\xe9", "a\x7f"):
        assert await status(town.shopper(), key) == {"Idempotency-Key"}, key

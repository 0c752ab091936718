"""Who brought whom into a group: shown to its leader and its merchant, by the names that members show."""

from typing import Any

from infra.reading.names import shown_name
from infra.runtime import Runtime
from tests.api.people import Person, Town, problem
from tests.identity.members import signed_in, signed_in_as_guest


async def share(sharer: Person, group: dict[str, Any]) -> str:
    code: str = (await sharer.post(f"/v1/groups/{group['id']}/invites")).json()["code"]
    return code


async def join(shopper: Person, group: dict[str, Any], code: str | None = None) -> None:
    joined = await shopper.post(f"/v1/groups/{group['id']}/participants", {"invite_code": code} if code else None)
    assert joined.status_code == 201, joined.text


async def test_the_leader_sees_who_brought_whom(town: Town, runtime: Runtime) -> None:
    """Names as they are now or neutral ones, no ids, no codes; who came by nobody's link or a stranger's says so."""
    ann, ben, cat, dan = (town.shopper(name) for name in ("Ann", None, "Cat", "Dan"))
    stranger = town.shopper("Passing Stranger")
    group = await town.open_group(ann, tiers=[{"participants": 4, "unit_price": 900}])
    first = await share(ann, group)
    await join(ben, group, first)
    await join(cat, group, await share(ben, group))
    await join(dan, group, await share(stranger, group))
    path = f"/v1/groups/{group['id']}/invite-tree"
    page = (await ann.get(f"{path}?limit=3")).json()
    rest = (await ann.get(f"{path}?limit=3&cursor={page['next_cursor']}")).json()
    nodes = page["items"] + rest["items"]
    neutral = shown_name(None, ben.subject)
    numbers = {node["display_name"]: node["number"] for node in nodes}
    assert list(numbers) == ["Ann", neutral, "Cat", "Dan"]
    assert [node["came_by"] for node in nodes] == [
        None,
        {"channel": "link", "sharer_name": "Ann", "sharer_number": numbers["Ann"]},
        {"channel": "link", "sharer_name": neutral, "sharer_number": numbers[neutral]},
        {"channel": "link", "sharer_name": shown_name(None, stranger.subject), "sharer_number": None},
    ]
    assert [node["brought"] for node in nodes] == [1, 1, 0, 0]
    assert [node["is_leader"] for node in nodes] == [True, False, False, False]
    said = str(nodes)
    assert not any(str(person.subject) in said for person in (ann, ben, cat, dan, stranger))
    assert first not in said
    async with runtime.engine.begin() as connection:
        await connection.exec_driver_sql(f"INSERT INTO accounts (id, status) VALUES ('{ann.subject}', 'full')")
    assert (await ann.get(path)).json()["items"][1]["came_by"]["sharer_name"] == shown_name(None, ann.subject)


async def test_nobody_brings_themselves_as_a_guest_of_before(town: Town) -> None:
    """Who signs in and comes by the link they shared as a guest was brought by nobody; the link has no join."""
    leader, mei, guest = town.shopper("Ann"), await signed_in(town), await signed_in_as_guest(town)
    group = await town.open_group(leader, tiers=[{"participants": 4, "unit_price": 900}])
    code = await share(guest, group)
    known = await signed_in(town, mei.phone, guest)
    await join(known, group, code)
    nodes = (await leader.get(f"/v1/groups/{group['id']}/invite-tree")).json()["items"]
    assert [node["came_by"] for node in nodes] == [None, None]
    (link,) = (await known.get("/v1/me/invites")).json()["items"]
    assert (link["code"], link["joins"]) == (code, 0)


async def test_to_others_it_is_not_there(town: Town) -> None:
    """Members, other merchants and leaders of other groups find nothing; its merchant does, also of a crowd."""
    ann, ben = town.shopper(), town.shopper()
    group, other = await town.open_group(ann), await town.open_group(ben)
    await join(ben, group)
    path = f"/v1/groups/{group['id']}/invite-tree"
    for person in (ben, town.person("merchant"), town.person("merchant", "shopper")):
        problem(await person.get(path), 404, "group-not-found")
    problem(await town.nobody.get(path), 401, "not-authenticated")
    assert len((await town.merchant.get(path)).json()["items"]) == 2
    shown = await ann.get(path)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "private, no-cache")
    problem(await ann.get(f"/v1/groups/{other['id']}/invite-tree"), 404, "group-not-found")
    crowd = await town.live_deal(grouping="crowd")
    crowd_path = f"/v1/groups/{crowd['crowd_group_id']}/invite-tree"
    assert (await town.merchant.get(crowd_path)).json() == {"items": [], "next_cursor": None}
    problem(await ann.get(crowd_path), 404, "group-not-found")


async def test_my_links_are_listed(town: Town) -> None:
    """With their addresses and what came of them; nobody else's among them."""
    ann, ben = town.shopper(), town.shopper()
    group = await town.open_group(ann)
    code = await share(ann, group)
    await join(ben, group, code)
    page = (await ann.get("/v1/me/invites")).json()
    assert page["next_cursor"] is None
    (link,) = page["items"]
    assert (link["code"], link["url"].endswith(f"/i/{code}"), link["joins"]) == (code, True, 1)
    assert (await ben.get("/v1/me/invites")).json()["items"] == []
    problem(await ann.get("/v1/me/invites?cursor=guessed"), 422, "invalid-request")

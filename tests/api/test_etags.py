"""Conditional reads: what has not changed is not sent again."""

from typing import Any

from tests.api.people import Person, Town


async def test_an_unchanged_resource_is_304_and_a_changed_one_is_not(town: Town) -> None:
    """The tag of a group changes when somebody joins, and not by itself."""
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}"
    tag = (await town.nobody.get(path)).headers["etag"]
    assert tag.startswith('W/"')
    unchanged = await _if_not(town.nobody, path, tag)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    await town.shopper().post(f"{path}/participants")
    assert (await _if_not(town.nobody, path, tag)).status_code == 200


async def test_a_deal_changes_with_its_stock(town: Town) -> None:
    """The stock left is part of a deal, though its row's version does not move with it."""
    deal = await town.live_deal()
    path = f"/v1/deals/{deal['id']}"
    tag = (await town.nobody.get(path)).headers["etag"]
    assert (await _if_not(town.nobody, path, tag)).status_code == 304
    await town.shopper().post(f"{path}/groups")
    changed = await _if_not(town.nobody, path, tag)
    assert (changed.status_code, changed.json()["version"]) == (200, deal["version"])


async def test_each_caller_has_a_tag_of_his_own(town: Town) -> None:
    """`you` differs, so one caller's tag says nothing to another, and shared caches are told."""
    leader = town.shopper()
    group = await town.open_group(leader)
    path = f"/v1/groups/{group['id']}"
    mine, everybodys = await leader.get(path), await town.nobody.get(path)
    assert mine.headers["etag"] != everybodys.headers["etag"]
    assert mine.headers["cache-control"] == "private, no-cache"
    assert mine.headers["vary"] == everybodys.headers["vary"] == "Authorization"
    assert (await _if_not(leader, path, everybodys.headers["etag"])).status_code == 200


async def test_tags_come_in_every_spelling(town: Town) -> None:
    """Lists, `*` and strong spellings are compared as RFC 9110 says; what is no tag is never a match."""
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}"
    tag = (await town.nobody.get(path)).headers["etag"]
    for same in (f'"x", {tag}', tag.removeprefix("W/"), "*", f" {tag} ,"):
        assert (await _if_not(town.nobody, path, same)).status_code == 304, same
    for other in ('"x"', "", "W/", tag.strip('W/"'), tag.upper() + "x"):
        assert (await _if_not(town.nobody, path, other)).status_code == 200, other


async def _if_not(caller: Person, path: str, tag: str) -> Any:
    return await caller.get(path, headers={"if-none-match": tag})

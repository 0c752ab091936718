"""Deals over HTTP: written, changed, published, and what becomes of their groups."""

from datetime import UTC, datetime, timedelta

from tests.api.people import Town, fields, problem


async def test_a_deal_is_what_was_written(town: Town) -> None:
    """Everything a merchant writes comes back, with one variant for a bare stock."""
    ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    deal = await town.draft(
        description="Spring harvest.\nFrom Fuzhou.",
        image_url="https://pictures.example/tea.jpg",
        ends_at=ends_at.isoformat(),
        units_per_shopper_max=3,
    )
    assert (deal["status"], deal["version"], deal["grouping"], deal["group_lifetime_s"]) == ("draft", 1, "team", 86_400)
    assert deal["merchant_id"] == str(town.merchant.subject)
    assert [(variant["title"], variant["stock_left"]) for variant in deal["variants"]] == [("Jasmine tea, 250 g", 100)]
    assert datetime.fromisoformat(deal["ends_at"]) == ends_at
    assert datetime.fromisoformat(deal["last_opening_at"]) == ends_at - timedelta(days=1)
    assert (await town.merchant.get(f"/v1/deals/{deal['id']}")).json() == deal


async def test_a_crowd_runs_as_long_as_its_deal(town: Town) -> None:
    """A crowd without a lifetime takes its window; publishing opens its one group, which everybody joins."""
    now = datetime.now(UTC)
    window = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(hours=5)).isoformat()}
    deal = await town.live_deal(grouping="crowd", **window)
    assert deal["group_lifetime_s"] == 6 * 3600
    group = (await town.nobody.get(f"/v1/groups/{deal['crowd_group_id']}")).json()
    assert (group["leader_id"], group["participants"]) == (None, 0)
    assert datetime.fromisoformat(group["expires_at"]) == now + timedelta(hours=5)
    problem(await town.shopper().post(f"/v1/deals/{deal['id']}/groups"), 409, "crowd-has-one-group")
    assert (await town.shopper().post(f"/v1/groups/{group['id']}/participants")).status_code == 201


async def test_a_change_touches_what_it_names_and_no_more(town: Town) -> None:
    """PATCH merges; null empties what may be empty; variants that keep their title keep their id."""
    deal = await town.draft(units_per_shopper_max=3, description="Spring.")
    path = f"/v1/deals/{deal['id']}"
    changes = {"title": "Green tea", "units_per_shopper_max": None, "solo_price": 1_100, "guests_may_buy": False}
    changed = (await town.merchant.ask("PATCH", path, changes)).json()
    assert changed == deal | changes | {"version": 2}
    red_and_blue = {"variants": [{"title": "Jasmine tea, 250 g", "stock": 7}, {"title": "blue", "stock": 5}]}
    several = (await town.merchant.ask("PATCH", path, red_and_blue)).json()
    assert [variant["stock_left"] for variant in several["variants"]] == [7, 5]
    assert several["variants"][0]["id"] == deal["variants"][0]["id"]
    assert (await town.merchant.ask("PATCH", path, {})).json() == several


async def test_a_change_is_checked_against_what_stays(town: Town) -> None:
    """A new solo price must lie above the tiers there are; a field that may not be empty cannot be emptied."""
    deal = await town.draft()
    path = f"/v1/deals/{deal['id']}"
    for changes, field in (
        ({"solo_price": 900}, "tiers[0].unit_price"),
        ({"tiers": [{"participants": 9, "unit_price": 100}]}, "group_size_max"),
        ({"title": None}, "title"),
        ({"stock": -1}, "stock"),
        ({"starts_at": "2040-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "ends_at"),
        ({"id": deal["id"]}, "id"),
    ):
        assert field in fields(await town.merchant.ask("PATCH", path, changes)), changes
    assert (await town.merchant.get(path)).json() == deal


async def test_an_edit_never_reaches_an_open_group(town: Town) -> None:
    """Promise 4: terms are frozen at opening; a live deal is not changed at all, a paused one for later groups."""
    group = await town.open_group()
    deal_path, group_path = f"/v1/deals/{group['deal_id']}", f"/v1/groups/{group['id']}"
    dearer = {"tiers": [{"participants": 2, "unit_price": 1_100}]}
    problem(await town.merchant.ask("PATCH", deal_path, dearer), 409, "deal-not-editable")
    await town.merchant.post(f"{deal_path}/pause")
    assert (await town.merchant.ask("PATCH", deal_path, dearer)).status_code == 200
    assert {"currency", "variants"} <= fields(
        await town.merchant.ask("PATCH", deal_path, {"currency": "EUR", "stock": 5})
    )
    problem(await town.shopper().post(f"{deal_path}/groups"), 409, "deal-paused")
    joined = await town.shopper().post(f"{group_path}/participants")
    assert (joined.json()["unit_price"], joined.json()["you"]["hold"]) == (900, 900)
    await town.merchant.post(f"{deal_path}/resume")
    assert (await town.shopper().post(f"{deal_path}/groups")).json()["unit_price"] == 1_100


async def test_the_life_of_a_deal_can_be_repeated(town: Town) -> None:
    """Publishing, pausing, resuming and ending twice are no errors; an ended deal stays ended."""
    deal = await town.draft()
    path = f"/v1/deals/{deal['id']}"
    problem(await town.merchant.post(f"{path}/pause"), 409, "deal-not-published")
    for step, status in (("publish", "live"), ("pause", "paused"), ("resume", "live"), ("end", "ended")):
        for _ in range(2):
            answer = await town.merchant.post(f"{path}/{step}")
            assert (answer.status_code, answer.json()["status"]) == (200, status)
    problem(await town.merchant.post(f"{path}/resume"), 409, "deal-over")
    problem(await town.shopper().post(f"{path}/groups"), 409, "deal-over")


async def test_each_way_a_place_is_refused_has_its_own_type(town: Town) -> None:
    """Full, closed, not started, over the limit, sold out and committed are told apart."""
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scheduled = await town.live_deal(starts_at=soon)
    assert scheduled["status"] == "scheduled"
    problem(await town.shopper().post(f"/v1/deals/{scheduled['id']}/groups"), 409, "deal-not-started")
    limited, shopper = await town.live_deal(units_per_shopper_max=2, stock=4), town.shopper()
    path = f"/v1/deals/{limited['id']}/groups"
    problem(await shopper.post(path, {"quantity": 3}), 409, "units-limit-reached")
    group = (await shopper.post(path, {"quantity": 2})).json()
    problem(await shopper.post(path), 409, "units-limit-reached")
    joined = await town.shopper().post(f"/v1/groups/{group['id']}/participants", {"quantity": 2})
    assert joined.json()["tipped"]
    problem(await town.shopper().post(f"/v1/groups/{group['id']}/participants"), 409, "out-of-stock")
    problem(await shopper.ask("DELETE", f"/v1/groups/{group['id']}/participants/me"), 409, "group-committed")
    cancelled = await town.merchant.post(f"/v1/groups/{group['id']}/cancel")
    assert (cancelled.json()["status"], cancelled.json()["closed_by"]) == ("cancelled", "merchant")
    problem(await town.shopper().post(f"/v1/groups/{group['id']}/participants"), 409, "group-closed")
    assert (await shopper.get(f"/v1/groups/{group['id']}")).json()["you"]["pays"] == 0


async def test_a_late_opening_is_refused_with_the_time_that_was_left(town: Town) -> None:
    """A group never outlives its deal: one that could not run its whole lifetime is refused, never cut short."""
    ends_at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    deal = await town.live_deal(ends_at=ends_at, group_lifetime_s=3600)
    path = f"/v1/deals/{deal['id']}"
    await town.merchant.post(f"{path}/pause")
    assert (await town.merchant.ask("PATCH", path, {"group_lifetime_s": 3 * 3600})).status_code == 200
    await town.merchant.post(f"{path}/resume")
    problem(await town.shopper().post(f"{path}/groups"), 409, "deal-closes-too-soon")


async def test_a_name_others_could_not_stand_is_left_out(town: Town) -> None:
    """The token's name is what others see; one that breaks the rules of names bars nobody from joining."""
    group = await town.open_group(town.shopper("  Ada "))
    path = f"/v1/groups/{group['id']}/participants"
    for name in ("x" * 61, "\x1b[2J", "   "):
        assert (await town.shopper(name).post(path)).status_code == 201
    names = [one["display_name"] for one in (await town.nobody.get(path)).json()["items"]]
    assert names[0] == "Ada"
    assert all(name.startswith("Shopper ") for name in names[1:])


async def test_an_invite_remembers_who_brought_whom(town: Town) -> None:
    """Invites know channel, parent and how many joined; the same sharer and channel have one link."""
    leader, friend = town.shopper("Ada"), town.shopper("Bo")
    group = await town.open_group(leader)
    path = f"/v1/groups/{group['id']}"
    first = await leader.post(f"{path}/invites", {"channel": "wechat"})
    again = await leader.post(f"{path}/invites", {"channel": "wechat"})
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    code = first.json()["code"]
    assert first.headers["location"] == f"/v1/invites/{code}"
    assert (await friend.post(f"{path}/participants", {"invite_code": code})).json()["you"]["invite_code"] == code
    child = (await friend.post(f"{path}/invites")).json()
    assert (child["parent_code"], child["sharer_name"], child["channel"]) == (code, "Bo", "link")
    seen = (await town.nobody.get(f"/v1/invites/{code}")).json()
    assert (seen["joins"], seen["sharer_name"]) == (1, "Ada")
    tag = (await town.nobody.get(f"/v1/invites/{code}")).headers["etag"]
    assert (await town.nobody.get(f"/v1/invites/{code}", headers={"if-none-match": tag})).status_code == 304
    assert "sharer_id" not in seen


async def test_a_preview_shows_every_count_of_a_small_group_and_the_steps_of_a_large_one(town: Town) -> None:
    """Editors get the price and the totals a deal would have."""
    body = {
        "currency": "USD",
        "solo_price": 1_200,
        "tiers": [{"participants": 2, "unit_price": 900}],
        "group_size_max": 3,
    }
    small = (await town.nobody.post("/v1/price-schedules/preview", body | {"quantity": 2})).json()
    assert [(row["participants"], row["unit_price"], row["group_total"]) for row in small["items"]] == [
        (1, 900, 1_800),
        (2, 900, 3_600),
        (3, 900, 5_400),
    ]
    large = (await town.nobody.post("/v1/price-schedules/preview", body | {"group_size_max": 1_000_000})).json()
    assert [row["participants"] for row in large["items"]] == [1, 2, 1_000_000]

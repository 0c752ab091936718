"""Joining on the web without JavaScript: from a link to a place, with a phone or as a guest, paid and shared on."""

from domain.identity.profile import NAME_CHARACTERS_MAX
from tests.api.people import Town
from tests.pages.browser import FROM_OUR_PAGE, PHONE, Browser, a_link, as_guest, code_sent, pay
from tests.pages.reading import Read

HOME = {"full_name": "Ben Ray", "line1": "1 High Street", "city": "Leeds", "country": "GB"}


async def test_somebody_who_opens_a_link_joins_with_a_phone_and_a_code_pays_and_shares_on(town: Town) -> None:
    group, link = await a_link(town)
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Join the group")
    assert browser.title == "Who is joining?"
    await browser.send("Send me a code", phone="07911 123456")
    assert PHONE in browser.page.text()
    await browser.send("Continue", code=await code_sent(town), name="Ben")
    assert browser.title == "Your place"
    await browser.send("Join and pay")
    assert browser.title == "Your place is kept"
    await pay(browser)
    assert browser.title == "You are in"
    own = browser.page.one("input", id="link").get("value", "").rpartition("/")[2]
    assert own != link.rpartition("/")[2]
    invite = (await town.nobody.get(f"/v1/invites/{own}")).json()
    assert (invite["group_id"], invite["sharer_name"]) == (group["id"], "Ben")
    assert invite["parent_code"] == link.rpartition("/")[2]


async def test_what_was_chosen_and_typed_goes_with_every_step_and_comes_back_after_a_mistake(town: Town) -> None:
    variants = [{"title": "Small", "stock": 5}, {"title": "Large", "stock": 5}]
    deal = await town.live_deal(variants=variants, stock=..., needs_shipping=True)
    small, large = (variant["id"] for variant in deal["variants"])
    leader, address = town.shopper(), {"name": "Mia", "line1": "2 High Street", "city": "Leeds", "country": "GB"}
    taken = {"variant_id": small, "address": address}
    group = (await leader.post(f"/v1/deals/{deal['id']}/groups", taken)).json()
    browser = await as_guest(town, f"/g/{group['id']}", variant=large, quantity="3")
    await browser.send("Join and pay", **HOME | {"full_name": "x" * 121})
    assert browser.response.status_code == 422
    assert browser.wrong("full_name") == "Fill this in: one line, and not too long."
    form, _ = browser.form_with("Join and pay")
    kept = browser.fields_of(form)
    assert (kept["variant"], kept["quantity"], kept["city"]) == (large, "3", "Leeds")
    await browser.send("Join and pay", full_name="Ben Ray")
    assert browser.title == "Your place is kept"
    assert "3 \u00d7" in browser.page.text()
    assert "Large" in browser.page.text()


async def test_a_declined_payment_is_said_and_the_form_is_there_again(town: Town) -> None:
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await pay(browser, "Decline")
    assert "declined" in browser.problem
    assert browser.title == "Your place"
    await browser.send("Join and pay")
    assert browser.title == "Your place is kept"


async def test_who_comes_too_late_is_shown_where_else_to_go(town: Town) -> None:
    """The last place goes to somebody else while the form is open."""
    deal = await town.live_deal(group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    leaders = town.shopper(), town.shopper()
    here, elsewhere = [(await one.post(f"/v1/deals/{deal['id']}/groups")).json()["id"] for one in leaders]
    browser = await as_guest(town, f"/g/{here}", quantity="3")
    await town.shopper().post(f"/v1/groups/{here}/participants")
    await browser.send("Join and pay")
    assert browser.response.status_code == 409
    assert "Join another one" in browser.problem
    said = browser.page.one("div", id="join-problem")
    assert [one.get("href") for one in said.iter("a")] == [f"/g/{elsewhere}?lang=en"]
    assert browser.title == "Your own group"
    await browser.send("Open and pay")
    assert browser.title == "Your place is kept"
    assert "3 \u00d7" in browser.page.text()


async def test_who_says_who_they_are_after_the_group_closed_can_open_their_own(town: Town) -> None:
    """The way in goes on with what was chosen, and says why it leads elsewhere."""
    group, link = await a_link(town, group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Join the group", quantity="2")
    await town.shopper().post(f"/v1/groups/{group['id']}/participants")
    await browser.send("Join as a guest")
    assert (browser.title, browser.problem.startswith("This group is closed.")) == ("Your own group", True)
    form, _ = browser.form_with("Open and pay")
    assert browser.fields_of(form)["quantity"] == "2"


async def test_the_country_of_an_address_is_at_first_that_of_the_phone(town: Town) -> None:
    """Not what the browser's language guesses; and a name is bounded as the API bounds it."""
    browser = Browser.of(town)
    deal = await town.live_deal(needs_shipping=True)
    home = {"name": "Mia", "line1": "2 High Street", "city": "Leeds", "country": "GB"}
    group = (await town.shopper().post(f"/v1/deals/{deal['id']}/groups", {"address": home})).json()
    await browser.open(f"/g/{group['id']}")
    await browser.send("Join the group")
    await browser.send("Send me a code", dial="DE", phone="01512 3456789")
    assert browser.page.one("input", id="name").get("maxlength") == str(NAME_CHARACTERS_MAX)
    await browser.send("Continue", code=await code_sent(town, "+4915123456789"))
    form, _ = browser.form_with("Join and pay")
    assert browser.fields_of(form)["country"] == "DE"


async def test_while_all_places_are_being_paid_for_none_is_promised(town: Town) -> None:
    """The page says that one may come free, and offers a group of one's own; what comes live says it too."""
    group, link = await a_link(town, group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    other = await as_guest(town, link)
    await other.send("Join and pay")
    browser = Browser.of(town)
    await browser.open(f"/g/{group['id']}")
    assert any("data-full" in one.attrib for one in browser.page.all("p"))
    assert "All places are being paid for now." in browser.page.text()
    assert {"till-full"} == {
        one.get("class", "").split()[-1] for one in browser.page.all("button") if "Join the" in "".join(one.itertext())
    }
    assert "Open your own group" in browser.buttons


async def test_a_quantity_that_cannot_be_is_said_beside_its_field(town: Town) -> None:
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    for quantity in ("-1", "0", "x", "1" * 30, "\u0663"):
        await browser.send("Join and pay", quantity=quantity)
        assert browser.response.status_code == 422
        assert browser.wrong("quantity").startswith("A whole number")
    await browser.send("Join and pay", quantity="101")
    assert browser.problem.startswith("Not enough is left")


async def test_a_place_can_be_given_up_until_the_group_has_tipped(town: Town) -> None:
    group, link = await a_link(town, tiers=[{"participants": 4, "unit_price": 900}])
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await browser.send("Give the place up")
    assert (browser.title, browser.problem) == ("Your place", "")
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["awaiting_payment"] == 0


async def test_a_wrong_code_is_said_and_the_phone_is_still_there(town: Town) -> None:
    _, link = await a_link(town)
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Join the group")
    await browser.send("Send me a code", phone=PHONE)
    right = await code_sent(town)
    await browser.send("Continue", code=f"{(int(right) + 1) % 10**6:06}")
    assert browser.problem.startswith("This code is wrong")
    assert PHONE in browser.page.text()
    await browser.send("Continue", code=f"{right[:3]} {right[3:]}")
    assert browser.title == "Your place"


async def test_guests_stay_outside_where_a_deal_says_so(town: Town) -> None:
    """Whoever is a guest already is asked for a phone as anybody is, and comes in with it."""
    _, open_to_all = await a_link(town)
    _, link = await a_link(town, guests_may_buy=False)
    browser = await as_guest(town, open_to_all)
    await browser.open(link)
    assert browser.title == "Who is joining?"
    assert "Join as a guest" not in browser.buttons
    await browser.send("Send me a code", phone=PHONE)
    await browser.send("Continue", code=await code_sent(town))
    assert browser.title == "Your place"


async def test_with_htmx_only_the_step_comes(town: Town) -> None:
    """The same step without the page around it; what bars it comes the same way."""
    group, _ = await a_link(town)
    browser = Browser.of(town, **{"hx-request": "true"})
    path = f"/g/{group['id']}/join"
    for answer in (
        await browser.client.get(path),
        await browser.client.post(f"{path}/code", data={"phone": "12"}, headers=FROM_OUR_PAGE),
    ):
        assert answer.text.startswith("<h2")
        part = Read.of_part(answer.text)
        assert part.errors == []
        assert "Who is joining?" in part.text()


async def test_a_join_is_put_down_to_the_link_opened_last(town: Town) -> None:
    """Whichever page of the deal the form was on; a link that leads elsewhere keeps nobody out."""
    group, first = await a_link(town)
    other = town.shopper("Zoe")
    second = (await other.post(f"/v1/groups/{group['id']}/invites")).json()["code"]
    browser = Browser.of(town)
    await browser.open(first)
    await browser.open(f"/i/{second}")
    await browser.open(f"/g/{group['id']}")
    await browser.send("Join the group")
    await browser.send("Join as a guest")
    await browser.send("Join and pay")
    await pay(browser)
    assert (await town.nobody.get(f"/v1/invites/{second}")).json()["joins"] == 1


async def test_an_invite_that_is_none_keeps_nobody_out(town: Town) -> None:
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    entry = f"{group['deal_id'].replace('-', '')}.nobodyscode12345"
    browser.client.cookies.set("tuan_via", entry, domain="localhost.local")
    await browser.send("Join and pay")
    assert browser.title == "Your place is kept"


async def test_a_closed_group_shows_what_became_of_it_to_whoever_was_in(town: Town) -> None:
    _, link = await a_link(town, group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await pay(browser)
    assert browser.title == "You are in"
    assert "You pay $9.00." in browser.page.text()


async def test_nobody_is_told_they_are_in_what_was_called_off(town: Town) -> None:
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await pay(browser)
    await town.merchant.post(f"/v1/groups/{group['id']}/cancel")
    await browser.open(f"/g/{group['id']}")
    assert browser.title == "Your place"
    assert "You pay nothing." in browser.page.text()

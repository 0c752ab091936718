"""A deal of which nothing is left while a group of it has free places: nobody is called to it, or led to a dead end."""

import pytest
from msgspec.structs import replace

from api.pages.group_html import page_with
from api.pages.join_step import Step, Taken
from domain.sharing.language import Language
from domain.sharing.wording import WORDINGS
from tests.api.people import Town
from tests.pages.browser import Browser
from tests.pages.reading import Read
from tests.pages.scene import DEAL, ORIGIN, part_of, shows

SOLD_OUT = "Everything is sold or reserved right now."
NOTHING = {"variants": [replace(variant, stock_left=0) for variant in DEAL.variants]}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", ["choose", "who", "place", "over"])
def test_no_step_has_a_form_that_leads_to_a_place(name: str, language: Language) -> None:
    """Whoever opens the page, signed in or not, reads that all is sold; nothing joins, opens a group or shares."""
    step = Step(name=name, own_code="abc")  # type: ignore[arg-type]  # one of the names above
    read = Read(page_with(shows("tipped", deal=NOTHING), language, ORIGIN, step).decode())
    assert WORDINGS[language].sold_out in read.text()
    assert not read.all("form")
    assert not read.all("progress")
    assert "share" not in {one.get("id") for one in read.all("section")}
    assert len([one for one in read.all("li") if one.get("class") == "next"]) == 0


def test_whoever_is_in_is_not_asked_to_share_it() -> None:
    """Their own link would lead nobody in."""
    step = Step(name="in", own_code="abc", taken=Taken(1, None, "$9.00"))
    for deal, ways in (({}, 1), (NOTHING, 0)):
        read = Read(page_with(shows("tipped", deal=deal), Language.EN, ORIGIN, step).decode())
        assert len(read.all("section", id="share")) == ways


def test_what_comes_live_leads_elsewhere_as_well() -> None:
    """The page that was open when the last one was sold has no button any more, and other deals."""
    part = part_of("tipped", deal=NOTHING)
    assert "data-full" in part
    assert 'hx-target="#more"' in part
    assert "data-full" not in part_of("tipped")


async def test_whoever_comes_to_a_deal_that_is_sold_out_is_led_to_another(town: Town) -> None:
    """Two of two are sold and one place is free: texts, tags, page and the list of groups say the same."""
    tiers = [{"participants": 2, "unit_price": 900}, {"participants": 3, "unit_price": 700}]
    deal = await town.live_deal(stock=2, group_size_max=3, tiers=tiers)
    leader, other = town.shopper(), await town.open_group(town.shopper())
    group = (await leader.post(f"/v1/deals/{deal['id']}/groups")).json()
    groups = f"/v1/deals/{deal['id']}/groups"
    assert [one["id"] for one in (await town.nobody.get(groups)).json()["items"]] == [group["id"]]
    await town.shopper().post(f"/v1/groups/{group['id']}/participants")
    assert (await town.nobody.get(groups)).json()["items"] == []
    invite = (await leader.post(f"/v1/groups/{group['id']}/invites", {"language": "en"})).json()
    texts = invite["share"]["texts"]
    assert SOLD_OUT in texts["short"]
    assert "save" not in str(texts)
    assert "Join" not in str(texts)
    browser = Browser.of(town)
    await browser.open(f"/i/{invite['code']}")
    assert SOLD_OUT in browser.page.metas["og:description"][0]
    assert [one.get("href") for one in browser.page.all("a") if other["id"] in one.get("href", "")]
    assert not browser.page.all("form")
    assert SOLD_OUT in (await browser.open(f"/g/{group['id']}/join?own=1")).text()
    assert not browser.page.all("form")

"""A name for us that somebody made up: whatever host a request names, nothing of it is in any answer."""

from collections.abc import Mapping
from typing import Final

from tests.api.people import Town
from tests.pages.browser import FROM_OUR_PAGE
from tests.pages.sharing import HTML, shared

MADE_UP: Final = "made-up.example"
_NAMED: Final[Mapping[str, str]] = {"host": MADE_UP, "x-forwarded-host": MADE_UP, "forwarded": f"host={MADE_UP}"}


async def test_links_pictures_redirects_and_cookies_are_of_the_address_we_are_known_by(town: Town) -> None:
    """Nobody is led elsewhere by a page, a kit or a picture that was asked for under another name."""
    link = await shared(town)
    told = {
        path: await town.nobody.get(path, headers={**HTML, **_NAMED})
        for path in (
            *("/", link.path, link.own_path, f"{link.path}/card/en-0.jpg", f"{link.own_path}/poster/en-0.jpg"),
            *(f"{link.own_path}/join", "/i/nobodys", f"/oembed?url=http://{MADE_UP}{link.path}", "/v1/deals"),
        )
    }
    path = f"/v1/groups/{link.group_id}/invites"
    told["kit"] = await link.leader.post(path, {"channel": "line"}, headers=dict(_NAMED))
    told["guest"] = await town.nobody.post(f"{link.own_path}/join/guest", headers={**FROM_OUR_PAGE, **_NAMED})
    assert {told[name].status_code for name in ("/", link.path, link.own_path, "/v1/deals")} == {200}
    assert [told[name].status_code for name in (f"{link.path}/card/en-0.jpg", "kit", "guest")] == [302, 201, 303]
    for name, answer in told.items():
        assert MADE_UP not in f"{answer.headers.multi_items()} {answer.text}", name

"""Who counts as having opened a link: a person with a browser, not the chat or the robot that fetches a preview.

A User-Agent is only a claim. The rule errs towards previews: whatever does not call itself a browser is none, while an
app's own browser (LINE's, WeChat's, Facebook's) is a person and says so by beginning as browsers do.
"""

import re
from typing import Final

_BROWSERS: Final = ("mozilla/", "opera/", "ucweb/")
"""How browsers have begun to introduce themselves since there were several."""
_FETCHERS: Final = re.compile(
    r"facebookexternalhit|facebot|facebookcatalog|meta-externalagent|meta-externalfetcher|whatsapp/"
    r"|line-poker|linespider|kakaotalk-scrap|skypeuripreview|microsoftpreview|snap url preview|mpcrawler"
    r"|google-pagerenderer|googleother|google favicon|google-read-aloud|feedfetcher|mediapartners-google"
    r"|slack-imgproxy|vkshare|iframely|embedly|quora link preview|bitlybot|pinterest/|bytespider|nuzzel"
    r"|headlesschrome|phantomjs|lighthouse|(?<!cu)bot\b|(?<!cu)bot/|crawler|spider|preview|scraper|http://|https://"
)
"""Words of fetchers that begin as browsers do. Cubot makes telephones; only robots say where to read about them."""


def is_preview(user_agent: str | None) -> bool:
    """Whether a request comes from a chat's preview fetcher, a robot or a tool, by what it calls itself."""
    said = (user_agent or "").strip().lower()
    return not said.startswith(_BROWSERS) or _FETCHERS.search(said) is not None

"""Who opens a link: people, or chats and robots."""

import pytest

from domain.sharing.attribution import is_preview

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
PEOPLE = (
    f"{PHONE} Version/17.5 Safari/604.1",
    f"{PHONE} Safari Line/14.10.0/IAB",
    f"{PHONE} MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN",
    f"{PHONE} [FBAN/FBIOS;FBAV/440.0.0.29;FBDV/iPhone14,2]",
    f"{PHONE} Instagram 340.0.3.27.90",
    "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
    "Opera/9.80 (Android; Opera Mini/36.2/119.132; U; en) Presto/2.12.423 Version/12.16",
)
FETCHERS = (
    None,
    "",
    " ",
    "curl/8.5.0",
    "okhttp/4.12.0",
    "WhatsApp/2.23.18.78 i",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1;line-poker/1.0",
    "facebookexternalhit/1.1;kakaotalk-scrap/1.0;",
    "TelegramBot (like TwitterBot)",
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "MicroMessenger Client",
    "Mozilla/5.0 (Macintosh) AppleWebKit/601.2.4 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/13.1.1 Safari/605.1.15 (Applebot/0.1)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
)


@pytest.mark.parametrize("user_agent", PEOPLE)
def test_a_browser_is_a_person(user_agent: str) -> None:
    """Also a chat's own browser, and a telephone whose maker's name ends as robots' do."""
    assert not is_preview(user_agent)


@pytest.mark.parametrize("user_agent", FETCHERS)
def test_what_fetches_for_a_chat_is_none(user_agent: str | None) -> None:
    """Nor what does not say what it is, or says it is a tool."""
    assert is_preview(user_agent)

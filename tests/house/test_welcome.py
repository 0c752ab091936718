"""What `tuan run` shows a newcomer."""

import re

import pytest

from cli.welcome import welcome
from infra.settings import read_settings

INBOX = "http://127.0.0.1:8000/dev/inbox"


@pytest.mark.parametrize(
    ("environment", "has_inbox"),
    [
        ({}, True),
        ({"TUAN_MESSAGE_GATEWAY": "console", "TUAN_HOST": "0.0.0.0"}, True),
        ({"TUAN_HOST": "0.0.0.0"}, False),
        ({"TUAN_MESSAGE_GATEWAY": "none"}, False),
        ({"TUAN_SMTP_URL": "smtps://mail.example"}, False),
    ],
)
def test_it_says_how_to_sign_in(environment: dict[str, str], *, has_inbox: bool) -> None:
    """The way in is named, and the inbox where codes can be read there; the lines fit a terminal."""
    shown = re.sub(r"\033\[\d+m", "", welcome(read_settings({"TUAN_DATA_DIR": "/d"} | environment), 1))
    assert "/v1/sign-in/codes" in shown
    assert (INBOX in shown) == has_inbox
    assert max(map(len, shown.splitlines())) <= 80

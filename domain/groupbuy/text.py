"""What text may go into a deal, a name or an invite: nothing a database, a chat or a page could choke on."""

import re

from domain.errors import FieldProblems

URL_CHARACTERS_MAX = 2_048
DISPLAY_NAME_CHARACTERS_MAX = 60

_UNCLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_WEB_ADDRESS = re.compile(
    r"https?://"
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.?|\[[0-9a-f:.]+\])"  # host name or IPv6
    r"(?::[0-9]{1,5})?"
    r"(?:[/?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
"""An absolute address in the characters RFC 3986 allows in one; names outside ASCII come as punycode."""


def is_clean(text: str) -> bool:
    """Whether text has no control characters (but line ends and tabs) and no half of a surrogate pair."""
    return _UNCLEAN.search(text) is None


def check_text(problems: FieldProblems, field: str, text: str, length_min: int, length_max: int) -> None:
    """Note a problem unless the text is clean and, without blanks around it, of a length within the bounds."""
    if problems.require(is_clean(text), field, "must not hold control characters or broken surrogates"):
        problems.require(
            len(text.strip()) >= length_min and len(text) <= length_max,
            field,
            f"must have from {length_min} to {length_max} characters",
        )


def check_image_url(problems: FieldProblems, field: str, url: str | None) -> None:
    """Note a problem unless the address is absent or an absolute http(s) one."""
    if url is None:
        return
    problems.require(
        _is_web_address(url), field, f"must be an http(s) address of at most {URL_CHARACTERS_MAX} characters"
    )


def _is_web_address(url: str) -> bool:
    return len(url) <= URL_CHARACTERS_MAX and _WEB_ADDRESS.fullmatch(url) is not None

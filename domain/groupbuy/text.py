"""What text may go into a deal, a name or an invite: nothing a database, a chat or a page could choke on."""

import re

from domain.errors import FieldProblems

URL_CHARACTERS_MAX = 2_048
DISPLAY_NAME_CHARACTERS_MAX = 60
CHANNEL_CHARACTERS_MAX = 32

_UNCLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202d\u202e]")
_NOT_IN_A_LINE = re.compile(r"[\t\n\r\x85\u2028\u2029\u202a-\u202c\u2066-\u2069]")
_INVISIBLE = re.compile(
    r"[\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Blanks, Unicode's Default_Ignorable_Code_Point, and signs that are drawn as nothing (Braille's blank, a notehead).

Joiners, fillers and marks that real names and emoji need are allowed, but do not make a name by themselves."""

_CHANNEL = re.compile(rf"[a-z0-9._-]{{1,{CHANNEL_CHARACTERS_MAX}}}")

_WEB_ADDRESS = re.compile(
    r"https?://"
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.?|\[[0-9a-f:.]+\])"  # host name or IPv6
    r"(?::[0-9]{1,5})?"
    r"(?:[/?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
"""An absolute address in the characters RFC 3986 allows in one; names outside ASCII come as punycode."""


def is_clean(text: str) -> bool:
    """Whether text has no control character but line ends and tabs, no half a surrogate pair, no reversed writing."""
    return _UNCLEAN.search(text) is None


def check_text(problems: FieldProblems, field: str, text: str, length_min: int, length_max: int) -> None:
    """Note a problem unless the text is clean and, without blanks around it, of a length within the bounds."""
    if problems.require(is_clean(text), field, "must not hold control characters or broken surrogates"):
        problems.require(
            len(text.strip()) >= length_min and len(text) <= length_max,
            field,
            f"must have from {length_min} to {length_max} characters",
        )


def check_line(problems: FieldProblems, field: str, text: str, length_min: int, length_max: int) -> None:
    """As `check_text`, for what is shown among other things: one line, something to see, no turn of the writing."""
    if not problems.require(_NOT_IN_A_LINE.search(text) is None, field, "must be one line without direction controls"):
        return
    check_text(problems, field, text, length_min, length_max)
    problems.require(
        len(text.strip()) < length_min or _INVISIBLE.sub("", text) != "", field, "must have something to see"
    )


def check_channel(problems: FieldProblems, field: str, channel: str) -> None:
    """Note a problem unless it is a name such as `whatsapp`: it is kept for good, so it says nothing of anybody."""
    problems.require(
        _CHANNEL.fullmatch(channel) is not None,
        field,
        f"must be a name of 1 to {CHANNEL_CHARACTERS_MAX} letters, digits, dots, hyphens and underscores (a-z, 0-9)",
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

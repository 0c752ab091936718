"""Secrets that an operator gives us: in files, as an environment has many readers."""

import re
from pathlib import Path

from infra.cannot_start import WrongSetting

CHARACTERS_MAX = 255


def read_secret(variable: str, file: Path | None, what: str, *, characters_min: int = 8) -> str:
    """The secret in a file that a setting names, without the line end behind it.

    Raises `WrongSetting` where the file is not named, cannot be read or holds something else.
    """
    if file is None:
        raise WrongSetting(f"{variable} is not set; name a file that holds {what}.")
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSetting(f"{variable}: {file} cannot be read ({type(error).__name__}).") from error
    if not re.fullmatch(f"[!-~]{{{characters_min},{CHARACTERS_MAX}}}", text):
        raise WrongSetting(f"{variable}: {file} does not hold {what} and nothing else.")
    return text

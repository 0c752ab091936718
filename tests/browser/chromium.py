"""The browser on this machine, if there is one, and how to get it."""

import os
import shutil
from typing import Final

CHOSEN: Final = "TUAN_TEST_CHROMIUM"
WANTED: Final = "TUAN_BROWSER_TESTS"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = (
    "The tests in tests/browser were left out: there is no Chromium here. Install it (apt-get install chromium), or "
    f"say where it is with {CHOSEN}."
)
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def _chromium() -> str | None:
    chosen = os.environ.get(CHOSEN)
    return shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, NAMES)), None)


# Looked at when tests begin: they have an environment of their own.
CHROMIUM: Final = _chromium()
"""Where it is."""
IS_REQUIRED: Final = os.environ.get(WANTED) == "required"
"""Whether a run without it is to fail, as in CI."""

"""The page of promises names tests; a name that no test bears proves nothing."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_named_on_the_page_of_promises_exists() -> None:
    """Whoever renames or drops a test that holds a promise is told to say so on the page."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/promises.md").read_text()))
    modules = list((ROOT / "tests").rglob("test_*.py"))
    existing = {module.stem for module in modules}
    for module in modules:
        existing.update(re.findall(r"def (test_\w+)", module.read_text()))
    assert named
    assert named <= existing, f"no such tests: {sorted(named - existing)}"

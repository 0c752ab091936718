"""Whether a database has the tables of this program; known from file names, so that `tuan serve` starts lightly."""

from pathlib import Path

VERSIONS = Path(__file__).parent / "migrations" / "versions"


def head_revision() -> str | None:
    """The newest revision: files are called `0001_what_it_does.py` and revisions are numbered in order."""
    return max((file.name.split("_")[0] for file in VERSIONS.glob("[0-9]*.py")), default=None)

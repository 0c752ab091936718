from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]

OURS = {"api", "benchmarks", "cli", "domain", "infra", "tests", "workers"}


def test_no_dependency_brings_a_module_named_like_ours() -> None:
    """Our layers have plain names; a package that installs the same name would shadow them or be shadowed."""
    clashes = {
        f"{distribution.name}: {file}"
        for distribution in metadata.distributions()
        if distribution.name != "tuan"
        for file in distribution.files or ()
        if file.parts[0].removesuffix(".py") in OURS
    }
    assert not clashes


def test_the_locks_name_no_place_and_pin_every_hash() -> None:
    """The locks install anywhere: hashes for everything, addresses and local files for nothing."""
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "file:" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        blocks = [block for block in text.replace("\\\n", "").splitlines() if block and not block.startswith("#")]
        assert blocks
        assert all("==" in block and "--hash=sha256:" in block for block in blocks)

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder that the servers' user may enter too, as pytest's own may not when we are root."""
    made = Path(tempfile.mkdtemp(prefix="tuan-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)

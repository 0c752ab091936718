"""Keys in the data directory: made once, by whoever needs them first, and readable by their owner only."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from infra.cannot_start import BadKey
from infra.embedded.place import make_data_dir


def key_file(data_dir: Path, name: str, make: Callable[[], bytes]) -> Path:
    """The data directory's key of a name, made at its first use."""
    file = data_dir / "keys" / name
    if not file.exists():
        make_data_dir(data_dir)
        _write(file, make())
    return file


def add_key(data_dir: Path, name: str, key: bytes) -> Path:
    """One more key of the data directory's, under a name that no other has."""
    make_data_dir(data_dir)
    file = data_dir / "keys" / name
    _write(file, key)
    return file


def read_key(file: Path) -> bytes:
    """What a key's file holds; raises `BadKey` where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadKey(f"Cannot read the key {file}: {error.strerror}.") from error


def _write(file: Path, key: bytes) -> None:
    """Write the new key under a name of its own, then link: whoever comes second keeps the first one's key."""
    making = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        making.touch(mode=0o600)
        making.write_bytes(key)
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(making)
        making.unlink()
    except OSError as error:
        raise BadKey(f"Cannot write the key {file}: {error.strerror}; set TUAN_DATA_DIR.") from error

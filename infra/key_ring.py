"""Which keys sign and which are trusted, now: they come and go without a restart of any process.

In the data directory keys rotate. A new one is trusted as soon as it is there and signs some minutes later, when every
process, and everybody who keeps our public keys, has seen it; the one before is trusted until the last token it signed
is over. Files that the settings name are the operator's to rotate.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from infra.cannot_start import BadKey
from infra.own_keys import OwnKey, TrustedKey, keep_trusting, keys_dir, own_keys, read_own, signer_among
from infra.settings import Settings
from infra.token_keys import KEYS_MAX, read_public, thumbprint

LOOK_EVERY_S: Final = 2.0

_Read: TypeAlias = Callable[[], Sequence[TrustedKey]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trusted:
    """The keys whose tokens count, by `kid`; a new object whenever they are others than before."""

    keys: Mapping[str, EllipticCurvePublicKey]


class KeyRing:
    """The keys of this process; raises `BadKey` where those to trust cannot be read at the start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trusting = _Watched(*_trusting(settings))
        self._signing: _Watched | None = None
        self._trusted = Trusted({})
        self._kept_until: dict[str, float] = {}

    def trusted(self, now: float, *, look: bool = False) -> Trusted:
        """The keys to trust at a time of the Unix clock; `look` at the files now, whenever that was done last."""
        held = self._trusting.held(now, look=look)
        keys = {key.kid: key.public for key in held if now < key.trusted_until}
        if keys != self._trusted.keys:
            self._trusted = Trusted(keys)
        return self._trusted

    def signer(self, now: float) -> OwnKey:
        """The newest key whose time has come; raises `BadKey` where there is none, or none that is trusted here."""
        if self._signing is None:
            self._signing = self._trusting if _is_own(self._settings) else _Watched(*_signing(self._settings))
        trusted = self.trusted(now).keys
        able = [key for key in self._signing.held(now) if isinstance(key, OwnKey) and key.kid in trusted]
        if not able:
            raise BadKey(_NO_SIGNER.format(self._settings.token_public_keys_dir))
        return signer_among(able, now)

    def keep_trusting(self, key: OwnKey, until: float) -> None:
        """A token that lives so long is about to be signed with this key."""
        if _is_own(self._settings) and until > self._kept_until.get(key.kid, 0.0):
            self._kept_until[key.kid] = keep_trusting(key, until)


_NO_SIGNER: Final = (
    "This process has no key to sign with whose public half is among the *.pem of TUAN_TOKEN_PUBLIC_KEYS_DIR ({}): "
    "put it there, and let TUAN_TOKEN_PRIVATE_KEY_FILE name its private half."
)


class _Watched:
    """What is read from a file or a folder, and read again when that has changed."""

    def __init__(self, path: Path, read: _Read) -> None:
        self._path = path
        self._read = read
        self._seen = _fingerprint(path)
        self._held = read()
        self._look_at = 0.0
        self._complaint = ""

    def held(self, now: float, *, look: bool = False) -> Sequence[TrustedKey]:
        """What cannot be read changes nothing, but is said once."""
        if look or not self._look_at - LOOK_EVERY_S <= now < self._look_at:
            self._look_at = now + LOOK_EVERY_S
            try:
                self._look()
                self._complaint = ""
            except BadKey as error:
                if str(error) != self._complaint:
                    self._complaint = str(error)
                    _log.warning("keys_not_read", why=str(error), so="those known before go on")
        return self._held

    def _look(self) -> None:
        seen = _fingerprint(self._path)
        if seen != self._seen:
            self._held, self._seen = self._read(), seen


def _is_own(settings: Settings) -> bool:
    return settings.token_private_key_file is None and settings.token_public_keys_dir is None


def _trusting(settings: Settings) -> tuple[Path, _Read]:
    """The folder to watch, and how the keys to trust are read: those of a folder, or those we sign with."""
    folder = settings.token_public_keys_dir
    return _signing(settings) if folder is None else (folder, lambda: _of_folder(folder))


def _signing(settings: Settings) -> tuple[Path, _Read]:
    """Also: how those to sign with are read, the given one or the data directory's own."""
    file, data_dir = settings.token_private_key_file, settings.data_dir
    if file is not None:
        return file, lambda: [read_own(file)]
    may_make = settings.token_public_keys_dir is None  # else nobody would trust it
    return keys_dir(data_dir), lambda: own_keys(data_dir, may_make=may_make)


def _of_folder(folder: Path) -> list[TrustedKey]:
    files = sorted(folder.glob("*.pem"))
    if not 0 < len(files) <= KEYS_MAX:
        raise BadKey(f"TUAN_TOKEN_PUBLIC_KEYS_DIR: {folder} has {len(files)} files *.pem; expected 1 to {KEYS_MAX}.")
    return [TrustedKey(kid=thumbprint(public), public=public) for public in map(read_public, files)]


def _fingerprint(path: Path) -> set[tuple[str, int, int, int]]:
    """Changes whenever the file, or one of the folder, comes, goes or is written."""
    try:
        if path.is_dir():
            with os.scandir(path) as entries:
                states = [(entry.name, entry.stat()) for entry in entries]
        else:
            states = [(path.name, path.stat())]
    except OSError:
        return set()
    return {(name, state.st_ino, state.st_mtime_ns, state.st_size) for name, state in states}

"""The data directory's own key pairs for access tokens: the first is made when one is needed, others rotate in.

Each is a file named after the moment it signs from. Beside one that signed tokens of a longer life than sessions' there
is an empty file named after the moment until which it must be trusted.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from infra.cannot_start import BadKey
from infra.key_files import add_key, key_file
from infra.token_keys import ACCESS_LIFETIME_S, new_pem, read_private, thumbprint

OVERLAP_S: Final = 600
"""From when a key is there until it signs: every process and whoever keeps our public keys has seen it by then."""
OVER_AFTER_S: Final = ACCESS_LIFETIME_S + 60
"""From when a key has a successor until it is over: a token's life, and a minute for clocks that differ."""
OWN_KEYS_MAX: Final = 16
_KEPT_STEP_S: Final = 3600
"""How long a key is to be trusted is written down in whole hours: a million tokens are minted in one go."""
_FIRST: Final = "private.pem"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_UNTIL: Final = ".until-"
_NAME: Final = re.compile(r"private-(\d{8}T\d{6}Z)-[0-9a-f]{8}\.pem")
_ALWAYS: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key whose tokens count until a time of the Unix clock."""

    kid: str
    public: EllipticCurvePublicKey
    trusted_until: float = _ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey(TrustedKey):
    """A key to sign with, from a time of the Unix clock on."""

    file: Path
    private: EllipticCurvePrivateKey
    signs_from: float = 0.0


def keys_dir(data_dir: Path) -> Path:
    """Where they are."""
    return data_dir / "keys"


def own_keys(data_dir: Path, *, may_make: bool) -> list[OwnKey]:
    """All that are there, the one that signs last at the end; raises `BadKey`."""
    files = _files(data_dir)
    if not files and may_make:
        files = {key_file(data_dir, _FIRST, new_pem): 0.0}
    keys = [read_own(file, signs_from) for file, signs_from in files.items()]
    return [replace(key, trusted_until=_over_at(key, successor)) for key, successor in pairwise(keys)] + keys[-1:]


def signer_among(keys: Sequence[OwnKey], now: float) -> OwnKey:
    """The newest whose time has come."""
    return ([key for key in keys if key.signs_from <= now] or list(keys[:1]))[-1]


def rotate(data_dir: Path, now: float, *, at_once: bool) -> OwnKey:
    """Add a key that will sign from after the overlap on, or `at_once`, and delete those that are over."""
    keys = own_keys(data_dir, may_make=True)
    over = [key for key in keys if key.trusted_until <= now]
    if len(keys) - len(over) >= OWN_KEYS_MAX:
        raise BadKey(f"{keys_dir(data_dir)} has {OWN_KEYS_MAX} keys; wait until some are over, see: tuan keys list")
    delete(over)
    signs_from = datetime.fromtimestamp(int(now) + (0 if at_once else OVERLAP_S), UTC)
    name = f"private-{signs_from.strftime(_STAMP)}-{secrets.token_hex(4)}.pem"
    return read_own(add_key(data_dir, name, new_pem()), signs_from.timestamp())


def delete(keys: Iterable[OwnKey]) -> None:
    """Let nobody trust these any more."""
    for key in keys:
        key.file.unlink(missing_ok=True)
        for kept_file in _kept_files(key.file):
            kept_file.unlink(missing_ok=True)


def keep_trusting(key: OwnKey, until: float) -> float:
    """Let a key be trusted until then at least, whenever its successor takes over; answers until when it is."""
    kept_until = _kept_until(key.file)
    if kept_until >= until:
        return kept_until
    kept_until = (until // _KEPT_STEP_S + 1) * _KEPT_STEP_S
    stamp = datetime.fromtimestamp(kept_until, UTC).strftime(_STAMP)
    earlier = _kept_files(key.file)
    try:
        (key.file.parent / f"{key.file.stem}{_UNTIL}{stamp}").touch(mode=0o600)
        for file in earlier:  # all were earlier: whoever writes a later one meanwhile has a file of his own
            file.unlink(missing_ok=True)
    except OSError as error:
        raise BadKey(f"Cannot write beside the key {key.file}: {error.strerror}.") from error
    return kept_until


def read_own(file: Path, signs_from: float = 0.0) -> OwnKey:
    """The key in a file; raises `BadKey`."""
    private = read_private(file)
    public = private.public_key()
    return OwnKey(kid=thumbprint(public), public=public, private=private, file=file, signs_from=signs_from)


def _files(data_dir: Path) -> dict[Path, float]:
    """Key files in the order in which they sign, each with the moment it does from."""
    found = dict.fromkeys(keys_dir(data_dir).glob(_FIRST), 0.0)
    for file in keys_dir(data_dir).glob("private-*.pem"):
        name = _NAME.fullmatch(file.name)
        if name:
            found[file] = _moment(name[1])
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0].name)))


def _over_at(key: OwnKey, successor: OwnKey) -> float:
    return max(successor.signs_from + OVER_AFTER_S, _kept_until(key.file))


def _kept_until(file: Path) -> float:
    return max((_moment(kept_file.name.partition(_UNTIL)[2]) for kept_file in _kept_files(file)), default=0.0)


def _kept_files(file: Path) -> list[Path]:
    return list(file.parent.glob(f"{file.stem}{_UNTIL}*"))


def _moment(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise BadKey(
            f"A key's file is named after {stamp!r}, which is no moment; expected like 20260501T121000Z."
        ) from error

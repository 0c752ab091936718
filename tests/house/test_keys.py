"""Keys that come and go: rotation without a restart, without a refused token, and without a key that lives for ever."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from structlog.testing import capture_logs

from infra.cannot_start import BadKey
from infra.key_ring import LOOK_EVERY_S, KeyRing, Trusted
from infra.own_keys import OVER_AFTER_S, OVERLAP_S, OWN_KEYS_MAX, delete, own_keys, rotate
from infra.settings import Settings, read_settings
from infra.token_keys import ACCESS_LIFETIME_S, base64url, thumbprint
from infra.tokens import UNKNOWN_LOOK_EVERY_S, TokenIssuer, TokenRefused, TokenVerifier
from tests.house.running import tuan

NOW = 1_800_000_000.0
DAY_S = 24 * 3600
SUBJECT = UUID("01900000-0000-7000-8000-000000000001")


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Process:
    """What a process signs and verifies with; it has no word of what others do but the files."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.ring = KeyRing(settings)
        self.verifier = TokenVerifier(settings, self.ring, clock)
        self._issuer = TokenIssuer(settings, self.ring, clock)

    def token(self, lifetime_s: int = ACCESS_LIFETIME_S) -> str:
        return self._issuer.issue(SUBJECT, frozenset({"shopper"}), lifetime_s)

    def trusts(self, token: str) -> bool:
        try:
            return self.verifier.verify(token).subject == SUBJECT
        except TokenRefused:
            return False


class CountingRing(KeyRing):
    """Counts how often somebody wants the files looked at now."""

    looks = 0

    def trusted(self, now: float, *, look: bool = False) -> Trusted:
        self.looks += look
        return super().trusted(now, look=look)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"TUAN_DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(settings: Settings, clock: Clock) -> Process:
    return Process(settings, clock)


@pytest.fixture
def there(settings: Settings, clock: Clock, here: Process) -> Process:  # noqa: ARG001 - it is there first
    return Process(settings, clock)


def test_no_token_is_refused_while_keys_rotate(settings: Settings, clock: Clock, here: Process, there: Process) -> None:
    """Second by second through a rotation, each of two processes at work trusts what the other issues until its end."""
    issued: list[tuple[float, str]] = []
    first = here.ring.signer(NOW).kid
    kids = set()
    for second in range(0, OVERLAP_S + 2 * OVER_AFTER_S, 15):
        clock.now = NOW + second
        if second == 30:
            rotate(settings.data_dir, clock.now, at_once=False)
        issued += [(clock.now, here.token()), (clock.now, there.token())]
        issued = [(at, token) for at, token in issued if clock.now < at + ACCESS_LIFETIME_S]
        assert all(process.trusts(token) for process in (here, there) for _, token in issued), second
        kids.add(here.ring.signer(clock.now).kid)
    assert len(kids) == 2
    assert first not in here.ring.trusted(clock.now).keys


def test_a_new_key_is_shown_before_it_signs(settings: Settings, clock: Clock, here: Process) -> None:
    """Whoever keeps our public keys for less than the overlap has it before the first token of it."""
    before = here.ring.signer(NOW).kid
    made = rotate(settings.data_dir, NOW, at_once=False)
    clock.now = NOW + LOOK_EVERY_S
    assert set(here.ring.trusted(clock.now).keys) == {before, made.kid}
    for second, kid in ((LOOK_EVERY_S, before), (OVERLAP_S - 1, before), (OVERLAP_S, made.kid)):
        assert here.ring.signer(NOW + second).kid == kid


def test_a_key_that_signs_at_once_is_known_at_once(settings: Settings, here: Process, there: Process) -> None:
    """The first token of it is good in a process that has just looked; the tokens of before stay good."""
    old = here.token()
    assert there.trusts(old)
    rotate(settings.data_dir, NOW, at_once=True)
    new = Process(settings, lambda: NOW).token()
    assert here.trusts(new)
    assert there.trusts(new)
    assert there.trusts(old)


def test_unknown_keys_cost_a_look_now_and_then(settings: Settings, clock: Clock, here: Process) -> None:
    """Tokens that name ever new keys make no process look at its files for each; a new key is still soon known."""
    ring = CountingRing(settings)
    verifier, foreign = TokenVerifier(settings, ring, clock), _foreign_tokens(40)
    for token in foreign[:20]:
        with pytest.raises(TokenRefused, match="unknown key"):
            verifier.verify(token)
    assert ring.looks == 1
    rotate(settings.data_dir, NOW, at_once=True)
    clock.now += UNKNOWN_LOOK_EVERY_S
    for token in foreign[20:]:
        with pytest.raises(TokenRefused, match="unknown key"):
            verifier.verify(token)
    assert ring.looks == 2
    assert verifier.verify(Process(settings, clock).token()).subject == SUBJECT
    assert verifier.verify(here.token()).subject == SUBJECT


def test_a_key_that_is_dropped_is_trusted_no_more(settings: Settings, clock: Clock, here: Process) -> None:
    """Within seconds, what was verified with it before included."""
    old = here.token()
    assert here.trusts(old)
    rotate(settings.data_dir, NOW, at_once=True)
    delete(own_keys(settings.data_dir, may_make=False)[:1])
    clock.now += 2 * LOOK_EVERY_S
    assert not here.trusts(old)
    assert here.trusts(here.token())


def test_a_token_that_lives_long_keeps_its_key(settings: Settings, clock: Clock, here: Process, there: Process) -> None:
    """A token of a day is good for a day, whatever rotates meanwhile; then its key is over, and its files go."""
    long = here.token(DAY_S)
    rotate(settings.data_dir, NOW, at_once=True)
    clock.now = NOW + DAY_S - 1
    assert there.trusts(long)
    clock.now = NOW + DAY_S + 3600 + LOOK_EVERY_S
    assert len(there.ring.trusted(clock.now).keys) == 1
    rotate(settings.data_dir, clock.now, at_once=False)
    assert len(list((settings.data_dir / "keys").iterdir())) == 2


def test_many_long_tokens_leave_one_file(settings: Settings, here: Process) -> None:
    """How long a key is needed is written down once, the longest."""
    for lifetime_s in (DAY_S, 2 * DAY_S, DAY_S, 700):
        here.token(lifetime_s)
    names = sorted(file.name for file in (settings.data_dir / "keys").iterdir())
    assert names == ["private.pem", "private.until-20270117T090000Z"]


def test_keys_are_bounded(settings: Settings) -> None:
    """Whoever rotates in a loop is told to wait."""
    for _ in range(OWN_KEYS_MAX - 1):
        rotate(settings.data_dir, NOW, at_once=True)
    with pytest.raises(BadKey, match="tuan keys list"):
        rotate(settings.data_dir, NOW, at_once=True)
    rotate(settings.data_dir, NOW + OVER_AFTER_S, at_once=True)


def test_a_file_that_cannot_be_read_later_changes_nothing(settings: Settings, clock: Clock, here: Process) -> None:
    """A broken file among the keys of a process at work is said once; it goes on with those it knows."""
    (settings.data_dir / "keys" / "private-20270101T000000Z-0badcafe.pem").write_bytes(b"half a k")
    token = here.token()
    with capture_logs() as lines:
        for _ in range(3):
            clock.now += LOOK_EVERY_S
            assert here.trusts(token)
    assert [line["event"] for line in lines] == ["keys_not_read"]


def test_the_operators_files_are_seen_when_they_change(tmp_path: Path, clock: Clock) -> None:
    """A public key put into the folder, and another private key in the file, are at work without a restart."""
    old, new = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    settings = _operators(tmp_path, private=old, public=[old])
    process = Process(settings, clock)
    _write_public(tmp_path, new)
    clock.now += LOOK_EVERY_S
    assert set(process.ring.trusted(clock.now).keys) == {thumbprint(old.public_key()), thumbprint(new.public_key())}
    assert process.ring.signer(clock.now).kid == thumbprint(old.public_key())
    _write_private(tmp_path, new)
    clock.now += LOOK_EVERY_S
    assert process.ring.signer(clock.now).kid == thumbprint(new.public_key())
    assert process.trusts(process.token())


def test_signing_with_a_key_nobody_trusts_is_said_at_the_start(tmp_path: Path) -> None:
    """`tuan serve` says in one line which settings do not fit; it makes no key that nobody asked for."""
    stranger, trusted = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    for settings in (
        _operators(tmp_path / "other", private=stranger, public=[trusted]),
        _operators(tmp_path / "none", private=None, public=[trusted]),
    ):
        with pytest.raises(BadKey, match="TUAN_TOKEN_PRIVATE_KEY_FILE"):
            TokenIssuer(settings)
        assert not settings.data_dir.exists()


def test_keys_are_listed_rotated_and_dropped(settings: Settings) -> None:
    """`tuan keys`: what signs and until when the others are trusted; the one that signs is not dropped."""
    environment = {"TUAN_DATA_DIR": str(settings.data_dir)}
    first = tuan("keys", **environment).stdout.split()
    assert first[1:] == ["signs"]
    planned = tuan("keys", "rotate", **environment).stdout
    assert "signs from 20" in planned
    at_once = tuan("keys", "rotate", "--now", **environment).stdout.split()
    listed = dict(line.split("  ") for line in tuan("keys", "list", **environment).stdout.splitlines())
    assert [listed[first[0]][:16], listed[at_once[0]]] == ["is trusted until", "signs"]
    assert listed[planned.split()[0]].startswith("signs from")
    for kid, status in ((at_once[0], 2), ("nobody", 2), (first[0], 0)):
        answer = tuan("keys", "drop", kid, **environment)
        assert (answer.returncode, bool(answer.stderr)) == (status, status != 0)
    assert first[0] not in tuan("keys", **environment).stdout
    assert (settings.data_dir / "keys").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (settings.data_dir / "keys").iterdir())


def test_keys_of_the_operators_are_the_operators_to_rotate(tmp_path: Path) -> None:
    """`tuan keys rotate` touches no file that the settings name, and says what to do instead."""
    _operators(tmp_path, private=generate_private_key(SECP256R1()), public=[])
    answer = tuan("keys", "rotate", TUAN_TOKEN_PRIVATE_KEY_FILE=str(tmp_path / "private.pem"))
    assert answer.returncode == 2
    assert answer.stderr.startswith("tuan: TUAN_TOKEN_PRIVATE_KEY_FILE")
    assert answer.stderr.count("\n") == 1


def test_a_token_from_the_command_line_says_all_there_is_to_say(settings: Settings) -> None:
    """Issuer, audience, subject, session, its own id and roles; of two, nothing but the subject is the same."""
    issuer, verifier = TokenIssuer(settings), TokenVerifier(settings)
    one, two = (issuer.issue(SUBJECT, frozenset({"shopper"}), 60, now=time.time()) for _ in range(2))
    assert verifier.verify(one).session_id not in {None, verifier.verify(two).session_id}


def _foreign_tokens(number: int) -> list[str]:
    """Tokens that each name another key of nobody's."""
    headers = [f'{{"alg":"ES256","typ":"at+jwt","kid":"nobody-{each}"}}' for each in range(number)]
    return [f"{base64url(header.encode())}.e30.{base64url(bytes(64))}" for header in headers]


def _operators(
    folder: Path, *, private: EllipticCurvePrivateKey | None, public: list[EllipticCurvePrivateKey]
) -> Settings:
    """Settings that name a private key's file and a folder of public keys."""
    (folder / "public").mkdir(parents=True)
    given = {"TUAN_DATA_DIR": str(folder / "data"), "TUAN_TOKEN_PUBLIC_KEYS_DIR": str(folder / "public")}
    if private is not None:
        _write_private(folder, private)
        given["TUAN_TOKEN_PRIVATE_KEY_FILE"] = str(folder / "private.pem")
    for key in public:
        _write_public(folder, key)
    return read_settings(given)


def _write_private(folder: Path, key: EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "new.pem").write_bytes(pem)
    (folder / "new.pem").replace(folder / "private.pem")


def _write_public(folder: Path, key: EllipticCurvePrivateKey) -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public" / f"{thumbprint(key.public_key())}.pem").write_bytes(pem)

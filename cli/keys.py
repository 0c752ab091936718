"""`tuan keys`: the key pairs behind access tokens, seen and rotated."""

import argparse
import sys
import time
from datetime import UTC, datetime

from cli.commands import Commands, add_command
from infra.cannot_start import WrongSetting
from infra.own_keys import OVERLAP_S, OwnKey, delete, own_keys, rotate, signer_among
from infra.settings import Settings

NO_SUCH_KEY = 2


def register(commands: Commands) -> None:
    parser = add_command(commands, "keys", "show and rotate the keys that sign access tokens", _list)
    doing = parser.add_subparsers(title="commands", metavar="COMMAND")
    doing.add_parser("list", help="which sign, and until when each is trusted").set_defaults(execute=_list)
    rotating = doing.add_parser("rotate", help="make a new key; tokens signed with the one before stay good")
    rotating.set_defaults(execute=_rotate)
    rotating.add_argument(
        "--now",
        action="store_true",
        help=f"let it sign at once, not {OVERLAP_S // 60} minutes from now: others may not have seen it yet",
    )
    dropping = doing.add_parser("drop", help="trust a key no more, whatever it signed: for one that leaked")
    dropping.set_defaults(execute=_drop)
    dropping.add_argument("kid", metavar="KID", help="as `tuan keys list` shows it")


def _list(settings: Settings, arguments: argparse.Namespace) -> int:  # noqa: ARG001 - as every command is called
    _require_own(settings)
    now = time.time()
    keys = own_keys(settings.data_dir, may_make=True)
    for key in keys:
        print(f"{key.kid}  {_standing(key, keys, now)}")
    return 0


def _rotate(settings: Settings, arguments: argparse.Namespace) -> int:
    _require_own(settings)
    key = rotate(settings.data_dir, time.time(), at_once=arguments.now)
    begins = "signs from now on" if arguments.now else f"signs from {_shown(key.signs_from)} on"
    print(f"{key.kid}  {begins}; processes at work see it by themselves.")
    return 0


def _drop(settings: Settings, arguments: argparse.Namespace) -> int:
    _require_own(settings)
    now = time.time()
    keys = own_keys(settings.data_dir, may_make=True)
    found = [key for key in keys if key.kid == arguments.kid]
    if not found:
        print(f"tuan: There is no key {arguments.kid}; see: tuan keys list", file=sys.stderr)
        return NO_SUCH_KEY
    if found[0] is signer_among(keys, now):
        print("tuan: This key signs. Let another take over first: tuan keys rotate --now", file=sys.stderr)
        return NO_SUCH_KEY
    delete(found)
    print(f"{arguments.kid}  is trusted no more; whoever has a token of it must sign in again.")
    return 0


def _require_own(settings: Settings) -> None:
    """Raises WrongSetting where the operator's files hold the keys."""
    if settings.token_private_key_file or settings.token_public_keys_dir:
        raise WrongSetting(
            "TUAN_TOKEN_PRIVATE_KEY_FILE and TUAN_TOKEN_PUBLIC_KEYS_DIR say where the keys are, so they are yours to "
            "rotate: put the new public key into the folder everywhere, wait ten minutes, let the file hold the new "
            "private key, and take the old public key away when the last token it signed is over."
        )


def _standing(key: OwnKey, keys: list[OwnKey], now: float) -> str:
    if key is signer_among(keys, now):
        return "signs"
    if key.signs_from > now:
        return f"signs from {_shown(key.signs_from)} on"
    over = "was trusted until" if key.trusted_until <= now else "is trusted until"
    return f"{over} {_shown(key.trusted_until)}"


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"

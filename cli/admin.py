"""`tuan admin`: who may run the platform through the API."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.commands import Commands, add_command, identifier
from cli.reach import ask_database
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.identity.accounts import Proof
    from infra.identity.codes import Recipient

NOBODY = 1


def register(commands: Commands) -> None:
    parser = add_command(commands, "admin", "show, make and remove administrators of the platform", _list)
    doing = parser.add_subparsers(title="commands", metavar="COMMAND")
    doing.add_parser("list", help="who is an administrator").set_defaults(execute=_list)
    creating = doing.add_parser("create", help="let whoever signs in with this be an administrator")
    creating.set_defaults(execute=_create)
    _add_proofs(creating.add_mutually_exclusive_group(required=True))
    removing = doing.add_parser("remove", help="let somebody be an administrator no more")
    removing.set_defaults(execute=_remove)
    who = removing.add_mutually_exclusive_group(required=True)
    _add_proofs(who)
    who.add_argument("--account", dest="who", metavar="ACCOUNT_ID", type=identifier, help="the account's id")


def _add_proofs(group: "argparse._MutuallyExclusiveGroup") -> None:
    group.add_argument("--phone", dest="who", metavar="NUMBER", type=_phone, help="number, with its country code")
    group.add_argument("--email", dest="who", metavar="ADDRESS", type=_email, help="e-mail address")


def _list(settings: Settings, arguments: argparse.Namespace) -> int:  # noqa: ARG001 - as every command is called
    from infra.identity.administrators import list_administrators

    found = ask_database(settings, list_administrators)
    for one in found:
        print(f"{one.account_id}: {', '.join([one.display_name or 'no name', *one.proofs])}")
    if not found:
        print("Nobody is an administrator. Make somebody one: tuan admin create --email you@example.com")
    return 0


def _create(settings: Settings, arguments: argparse.Namespace) -> int:
    from infra.identity.administrators import make_administrator

    proof: Proof = arguments.who
    made = ask_database(settings, lambda engine: make_administrator(engine, proof))
    if not made.is_changed:
        print(f"{made.account_id} is an administrator already; nothing changed.")
        return 0
    print(f"{made.account_id} is an administrator: sign in with the code that is sent to {proof.subject}.")
    return 0


def _remove(settings: Settings, arguments: argparse.Namespace) -> int:
    from infra.identity.administrators import remove_administrator

    removed = ask_database(settings, lambda engine: remove_administrator(engine, arguments.who))
    if removed is None or not removed.is_changed:
        print("tuan: That is no administrator. `tuan admin list` shows who is.", file=sys.stderr)
        return NOBODY
    print(f"{removed.account_id} is no administrator any more; nobody with an old token is, within a second.")
    return 0


def _phone(text: str) -> "Proof":
    from infra.identity.recipients import phone_recipient

    return _proof(phone_recipient, text)


def _email(text: str) -> "Proof":
    from infra.identity.recipients import email_recipient

    return _proof(email_recipient, text)


def _proof(read: "Callable[[str], Recipient]", text: str) -> "Proof":
    from domain.errors import InvalidInput
    from infra.identity.accounts import Proof, Provider

    try:
        recipient = read(text)
    except InvalidInput as wrong:
        message = f"{text!r} {wrong.problems[0].message}"
        raise argparse.ArgumentTypeError(message) from wrong
    return Proof(Provider(recipient.channel), recipient.address)

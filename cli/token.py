"""`tuan token`: access tokens for trying things out, one a line."""

import argparse
import sys
import uuid
from collections.abc import Iterator
from itertools import repeat

from cli.commands import Commands, add_command, identifier, whole_number
from infra.settings import Settings
from infra.tokens import LIFETIME_MAX_S, NAME_CHARACTERS_MAX, TokenIssuer

COUNT_MAX = 1_000_000
LIFETIME_S = 24 * 3600
LINES_PER_WRITE = 1000


def register(commands: Commands) -> None:
    parser = add_command(commands, "token", "print access tokens, one a line", execute)
    parser.add_argument("--role", choices=("shopper", "merchant"), required=True, help="what the bearer may do")
    parser.add_argument("--count", type=whole_number(1, COUNT_MAX), default=1, metavar="N", help="how many (1)")
    parser.add_argument("--subject", type=identifier, metavar="UUID", help="who it is for; else a new subject for each")
    parser.add_argument("--name", type=_name, metavar="TEXT", help="display name")
    parser.add_argument(
        "--lifetime",
        type=whole_number(1, LIFETIME_MAX_S),
        default=LIFETIME_S,
        metavar="SECONDS",
        help=f"how long they are valid ({LIFETIME_S})",
    )


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    issuer = TokenIssuer(settings)
    subjects = repeat(arguments.subject, arguments.count) if arguments.subject else _new_subjects(arguments.count)
    lines: list[str] = []
    for subject in subjects:
        lines.append(issuer.issue(subject, frozenset({arguments.role}), arguments.lifetime, arguments.name))
        if len(lines) == LINES_PER_WRITE:
            print("\n".join(lines))
            lines.clear()
    if lines:
        print("\n".join(lines))
    sys.stdout.flush()
    return 0


def _new_subjects(count: int) -> Iterator[uuid.UUID]:
    return (uuid.uuid4() for _ in range(count))


def _name(text: str) -> str:
    if not 0 < len(text) <= NAME_CHARACTERS_MAX or not text.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {NAME_CHARACTERS_MAX} printable characters")
    return text

"""`tuan migrate`: bring the database to the tables of this program."""

import argparse

from cli.commands import Commands, add_command
from cli.reach import reach_database
from infra.settings import Settings


def register(commands: Commands) -> None:
    parser = add_command(commands, "migrate", "bring the database to the tables of this program", execute)
    parser.add_argument(
        "--check",
        action="store_true",
        help="instead, compare the migrations with the declared tables on a private server (for developers)",
    )


def execute(settings: Settings, arguments: argparse.Namespace) -> int:
    return _check() if arguments.check else _migrate(settings)


def _migrate(settings: Settings) -> int:
    from infra.migrate import upgrade

    before = reach_database(settings).revision
    upgrade(settings.database_url)
    after = reach_database(settings).revision
    print(f"The database was at revision {before}, now {after}." if before != after else f"Nothing to do: at {after}.")
    return 0


def _check() -> int:
    from infra.schema_check import differences

    found = differences()
    if not found:
        print("The migrations make exactly the declared tables.")
        return 0
    print("The migrations do not make the declared tables (- declared, + migrated):")
    print("\n".join(found))
    return 1

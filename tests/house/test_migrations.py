import asyncpg
from alembic.script import ScriptDirectory

from infra.migrate import alembic_config, upgrade
from infra.schema_check import differences
from infra.schema_version import head_revision
from tests.conftest import run_apart


def test_the_migrations_make_the_declared_tables() -> None:
    """Who changes a table and forgets the migration is told so, constraints and indexes included."""
    assert differences() == []


def test_the_newest_file_is_the_head() -> None:
    """`tuan serve` knows the newest revision from file names; alembic must agree."""
    assert head_revision() == ScriptDirectory.from_config(alembic_config()).get_current_head()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """Every process may migrate at its start."""
    upgrade(database_url)

    async def look() -> None:
        connection = await asyncpg.connect(database_url)
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == head_revision()
        await connection.close()

    run_apart(look())

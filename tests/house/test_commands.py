from pathlib import Path

import asyncpg
import jwt
import pytest

from tests.conftest import run_apart
from tests.house.running import free_port, tuan


def refused(answer_line: str, *arguments: str, **environment: str) -> None:
    """The command ends with status 2 and exactly one line that contains `answer_line`."""
    answer = tuan(*arguments, **environment)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert answer.stderr.startswith("tuan: ")
    assert answer_line in answer.stderr


@pytest.mark.parametrize("command", ["run", "serve", "worker", "migrate"])
def test_a_wrong_setting_is_one_line(command: str) -> None:
    """Every command reads the settings before it does anything."""
    refused("TUAN_PORT is 'abc'; expected a whole number from 1 to 65535.", command, TUAN_PORT="abc")


@pytest.mark.parametrize("command", ["run", "serve", "worker", "migrate"])
def test_a_missing_postgres_is_one_line(command: str, tmp_path: Path) -> None:
    """A given server that does not answer is named, its password is not."""
    port = free_port()
    refused(
        f"PostgreSQL does not answer at 'postgresql://u:***@127.0.0.1:{port}/d'",
        command,
        DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{port}/d",
        TUAN_PORT=str(free_port()),
        TUAN_DATA_DIR=str(tmp_path / "data"),
    )


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_no_private_server_yet_says_how_to_start_it(command: str, tmp_path: Path) -> None:
    """Who forgot `make run` is told so."""
    refused("`make run`", command, TUAN_DATA_DIR=str(tmp_path / "none"), TUAN_PORT=str(free_port()))


def test_a_missing_redis_stops_run(tmp_path: Path) -> None:
    """`tuan run` wants the Redis it was given, before it starts anything."""
    refused(
        "Redis does not answer at",
        "run",
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        TUAN_PORT=str(free_port()),
        TUAN_DATA_DIR=str(tmp_path / "data"),
    )


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("TUAN_HOST", "192.0.2.1", "Cannot listen on 192.0.2.1"),
        ("TUAN_DATA_DIR", "/dev/null", "/dev/null is a file"),
        ("TUAN_DATA_DIR", "/dev/null/x", "Cannot make /dev/null/x"),
    ],
)
def test_a_place_that_cannot_be_is_one_line(variable: str, value: str, line: str, tmp_path: Path) -> None:
    """Addresses that are not ours and folders that cannot be made are named."""
    refused(line, "run", **({"TUAN_DATA_DIR": str(tmp_path), "TUAN_PORT": str(free_port())} | {variable: value}))


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"TUAN_SMS_URL": "https://sms.example"}, "TUAN_SMS_KEY_FILE is not set"),
        ({"TUAN_SMTP_URL": "smtps://mail.example"}, "TUAN_MAIL_FROM is not set"),
        ({"TUAN_CODES_KEY_FILE": "/dev/null"}, "TUAN_CODES_KEY_FILE: /dev/null is too short"),
        ({"TUAN_CODES_KEY_FILE": "/nowhere/key"}, "Cannot read the key /nowhere/key"),
        ({"TUAN_PAYMENT_GATEWAY": "stripe"}, "TUAN_STRIPE_API_KEY_FILE is not set"),
        ({"TUAN_WECHAT_APP_ID": "wx1"}, "TUAN_WECHAT_SECRET_FILE is not set"),
        ({"TUAN_APPLE_CLIENT_IDS": "a", "TUAN_OPENID_BASE": "http://x.example"}, "TUAN_OPENID_BASE must begin with"),
    ],
)
@pytest.mark.parametrize("command", ["run", "serve", "worker"])
def test_a_secret_that_is_missing_is_one_line(
    *, command: str, environment: dict[str, str], line: str, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """A gateway that is named without what it needs is told before any process is started."""
    ours = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "TUAN_DATA_DIR": str(tmp_path / "d")}
    refused(line, command, **ours, **environment, TUAN_PORT=str(free_port()))


def test_an_unmigrated_database_says_so(database_url: str, tmp_path: Path) -> None:
    """An API never starts on tables that are not its own."""
    unmigrated = database_url.replace("/tuan_test_", "/postgres?x=").split("?")
    address = f"{unmigrated[0]}?{unmigrated[-1]}"
    refused(
        "run `tuan migrate`", "serve", DATABASE_URL=address, TUAN_PORT=str(free_port()), TUAN_DATA_DIR=str(tmp_path)
    )


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "run"])
def test_tables_of_a_newer_program_are_left_alone(command: str, database_url: str, tmp_path: Path) -> None:
    """Who starts an old program on a database that a newer one migrated is told so, without a trace."""

    async def raise_revision() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    run_apart(raise_revision())
    surroundings = {"DATABASE_URL": database_url, "TUAN_PORT": str(free_port()), "TUAN_DATA_DIR": str(tmp_path / "d")}
    refused("revision 9999, which this program does not know", command, **surroundings)


def test_a_migration_that_is_refused_is_one_line(database_url: str, tmp_path: Path) -> None:
    """A role that may not make tables gets PostgreSQL's reason, not a trace."""

    async def forbid_writing() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("DELETE FROM alembic_version")
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await connection.close()

    run_apart(forbid_writing())
    surroundings = {"DATABASE_URL": database_url, "TUAN_DATA_DIR": str(tmp_path / "d")}
    refused("PostgreSQL refuses the migration and nothing was changed: cannot execute", "migrate", **surroundings)


def test_tokens_come_one_a_line_each_for_a_new_subject(tmp_path: Path) -> None:
    """What a load generator needs: many tokens and nothing else on standard output."""
    answer = tuan("token", "--role", "shopper", "--count", "2500", "--name", "Ada", TUAN_DATA_DIR=str(tmp_path / "d"))
    assert answer.stderr == ""
    lines = answer.stdout.splitlines()
    assert len(lines) == 2500
    read = [jwt.decode(line, options={"verify_signature": False}) for line in lines]
    assert len({claims["sub"] for claims in read}) == 2500
    assert all(claims["roles"] == ["shopper"] and claims["name"] == "Ada" for claims in read)


def test_a_token_for_a_given_subject(tmp_path: Path) -> None:
    """A merchant of the demo data can be spoken for."""
    subject = "0198c000-0000-7000-8000-000000000001"
    answer = tuan(
        *("token", "--role", "merchant", "--subject", subject, "--lifetime", "60"), TUAN_DATA_DIR=str(tmp_path / "d")
    )
    claims = jwt.decode(answer.stdout.strip(), options={"verify_signature": False})
    assert claims["sub"] == subject
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    "arguments",
    [
        ("token",),
        ("token", "--role", "king"),
        ("token", "--role", "shopper", "--count", "0"),
        ("token", "--role", "shopper", "--count", "-1"),
        ("token", "--role", "shopper", "--subject", "alice"),
        ("token", "--role", "shopper", "--name", "a\nb"),
        ("token", "--role", "shopper", "--lifetime", "1e9"),
        ("dance",),
        (),
    ],
)
def test_a_wrong_argument_has_status_two_and_no_trace(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Usage errors read like usage, not like a crash."""
    answer = tuan(*arguments, TUAN_DATA_DIR=str(tmp_path / "d"))
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "usage: tuan" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_help_is_there() -> None:
    """`tuan --help` names every command."""
    answer = tuan("--help")
    assert answer.returncode == 0
    for command in ("run", "serve", "worker", "migrate", "token"):
        assert f"\n    {command} " in answer.stdout

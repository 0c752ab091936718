import dataclasses
from pathlib import Path

import pytest

from infra.cannot_start import WrongSetting
from infra.settings import Settings, read_settings, variables
from infra.settings_table import settings_table


def test_nothing_set_means_private_servers_and_loopback() -> None:
    """A newcomer sets nothing, and nothing listens beyond this machine."""
    settings = read_settings({})
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.data_dir == Path(".tuan").absolute()
    assert settings.database_is_embedded
    assert settings.redis_is_embedded


def test_each_server_is_given_by_itself() -> None:
    """DATABASE_URL and REDIS_URL replace one private server each."""
    settings = read_settings({"DATABASE_URL": "postgresql://u:p@db/tuan"})
    assert not settings.database_is_embedded
    assert settings.redis_is_embedded


def test_proxies_and_origins_come_in_lists() -> None:
    """Parted by commas, blanks around them do not matter."""
    settings = read_settings(
        {
            "TUAN_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,2001:db8::/32",
            "TUAN_CORS_ORIGINS": "https://shop.example, http://localhost:5173",
        }
    )
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    assert settings.cors_origins == ("https://shop.example", "http://localhost:5173")
    assert read_settings({"TUAN_CORS_ORIGINS": "*"}).cors_origins == ("*",)
    assert (read_settings({}).trusted_proxies, read_settings({}).cors_origins) == ((), ())


def test_an_empty_variable_is_not_set() -> None:
    """`TUAN_PORT=` in an environment file means the default."""
    assert read_settings({"TUAN_PORT": ""}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TUAN_PORT", "abc"),
        ("TUAN_PORT", "0"),
        ("TUAN_PORT", "65536"),
        ("TUAN_PORT", "-1"),
        ("TUAN_PORT", "\uff18\uff10\uff10\uff10"),
        ("TUAN_PORT", "9" * 5000),
        ("TUAN_API_PROCESSES", "0"),
        ("TUAN_LOG_LEVEL", "loud"),
        ("TUAN_DEMO_DATA", "maybe"),
        ("DATABASE_URL", "mysql://db/tuan"),
        ("DATABASE_URL", "postgresql:db"),
        ("REDIS_URL", "localhost:6379"),
        ("TUAN_TOKEN_ISSUER", "with space"),
        ("TUAN_TRUSTED_PROXIES", "10.0.0.1/8"),  # which of the two is meant?
        ("TUAN_TRUSTED_PROXIES", "proxy.example"),
        ("TUAN_PROXY_HEADER", "x-real-ip"),
        ("TUAN_CORS_ORIGINS", "https://shop.example/"),
        ("TUAN_CORS_ORIGINS", "https://shop.example,*"),
        ("TUAN_CORS_ORIGINS", "https://*.shop.example"),
        ("TUAN_PUBLIC_URL", "https://shop.example:99999"),
        ("TUAN_PUBLIC_URL", "https://shop.example:0"),
        ("TUAN_SANDBOX_WEBHOOK_URL", "http://"),
        ("TUAN_RATE_LIMITS", "no"),
        ("TUAN_DATA_DIR", "~no-such-user-here/x"),
    ],
)
def test_a_wrong_value_is_one_line_with_name_value_and_what_is_accepted(name: str, text: str) -> None:
    """An operator reads what to change, not a stack trace."""
    with pytest.raises(WrongSetting) as refusal:
        read_settings({name: text})
    line = str(refusal.value)
    assert line.startswith(f"{name} is ")
    assert "expected" in line
    assert "\n" not in line
    assert len(line) < 300


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("TUAN_PROT", "did you mean TUAN_PORT"),
        ("TUAN_REDIS_URL", "did you mean REDIS_URL"),
        ("TUAN_XYZ", "the README lists"),
    ],
)
def test_an_unknown_variable_names_the_near_one(name: str, hint: str) -> None:
    """A misspelt setting is refused, not silently ignored."""
    with pytest.raises(WrongSetting, match=hint):
        read_settings({name: "8001"})


def test_messages_hide_passwords() -> None:
    """A wrong address may be logged; its password may not."""
    with pytest.raises(WrongSetting) as refusal:
        read_settings({"DATABASE_URL": "mysql://user:secret@db/tuan"})
    assert "secret" not in str(refusal.value)


def test_every_setting_is_described() -> None:
    """The README's table is made from the fields, so each has a name, a meaning and a default to show."""
    described = variables()
    assert len(described) == len(dataclasses.fields(Settings))
    assert len({variable.name for variable in described}) == len(described)
    for variable in described:
        assert variable.meaning
        assert variable.default_shown
        assert variable.name in {"DATABASE_URL", "REDIS_URL"} or variable.name.startswith("TUAN_")


def test_the_readme_lists_the_settings_as_they_are() -> None:
    """The README's table is this program's: `python -m infra.settings_table` prints it."""
    assert settings_table() in (Path(__file__).parents[2] / "README.md").read_text()

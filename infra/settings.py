"""Every setting of Tuan, read once from the environment.

A new setting is one field of a group of `Settings`; the README's table is made from the same fields.
"""

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.cannot_start import WrongSetting
from infra.embedded.place import Place, place_for
from infra.settings_identity import IdentitySettings
from infra.settings_money import MoneySettings
from infra.settings_push import PushSettings
from infra.settings_serving import ServingSettings
from infra.settings_sharing import SharingSettings
from infra.settings_values import shown
from infra.settings_variable import Variable

PREFIX = "TUAN_"


@dataclass(frozen=True, kw_only=True)
class Settings(MoneySettings, PushSettings, SharingSettings, IdentitySettings, ServingSettings):
    """What an operator may decide; bounds and addresses, never rules of the product. The last group's come first."""

    @property
    def place(self) -> Place:
        """Where the private servers of this data directory are."""
        return place_for(self.data_dir)

    @property
    def sandbox_webhooks_go_to(self) -> str:
        """The address that was set, or this machine's API."""
        return self.sandbox_webhook_url or f"{self._at_home}/v1/webhooks/sandbox"

    @property
    def origin(self) -> str:
        """What links to us begin with, without a slash at its end."""
        return self.public_url or self._at_home

    @property
    def _at_home(self) -> str:
        """This machine's API; one that listens everywhere is reached at home."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"

    @property
    def database_is_embedded(self) -> bool:
        return self.database_url == self.place.database_url

    @property
    def redis_is_embedded(self) -> bool:
        return self.redis_url == self.place.redis_url


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises WrongSetting for a value that is not accepted and for a TUAN_ variable that does not exist."""
    _refuse_unknown(environment)
    given: dict[str, Any] = {
        field.name: _read(field.metadata["variable"], environment[field.metadata["variable"].name])
        for field in dataclasses.fields(Settings)
        if environment.get(field.metadata["variable"].name)  # `TUAN_PORT=` means: not set
    }
    place = place_for(given.setdefault("data_dir", Path(".tuan").absolute()))
    return Settings(**({"database_url": place.database_url, "redis_url": place.redis_url} | given))


def variables() -> tuple[Variable, ...]:
    """All variables in the order of the README's table."""
    return tuple(field.metadata["variable"] for field in dataclasses.fields(Settings))


def _read(described: Variable, text: str) -> object:
    try:
        return described.reader.read(text)
    except (ValueError, RuntimeError) as error:  # RuntimeError: `~nobody` names no home
        raise WrongSetting(f"{described.name} is {shown(text)}; expected {described.reader.accepts}.") from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = [described.name for described in variables()]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            by_word = {other.removeprefix(PREFIX): other for other in known}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), by_word, n=1)
            hint = f"did you mean {by_word[near[0]]}?" if near else "the README lists the settings."
            raise WrongSetting(f"{name} is no setting of Tuan; {hint}")

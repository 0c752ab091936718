"""How a field of the settings says which environment variable it is read from."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from infra.settings_values import Reader

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, how it is read, and what it means to a person."""

    name: str
    reader: Reader[Any]
    meaning: str
    default_shown: str


def variable(
    name: str, reader: Reader[Value], default: Default, meaning: str, *, default_shown: str | None = None
) -> Value | Default:
    described = Variable(name, reader, meaning, str(default) if default_shown is None else default_shown)
    return cast("Value | Default", dataclasses.field(default=default, metadata={"variable": described}))

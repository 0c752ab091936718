"""What regions are called in a language, from the names that the library of telephone numbers carries."""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

import phonenumbers

from infra.identity.recipients import dial_codes

_SAME_AS: Final = "*"
_FILE: Final = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"


@cache
def regions_by_name(language: str) -> tuple[tuple[str, str, str], ...]:
    """Every region that has telephones by its name in a language: `("DE", "Germany", "49")`."""
    names = _names()
    named = ((region, _name(names, region, language), prefix) for region, prefix in dial_codes())
    return tuple(sorted(((region, name, prefix) for region, name, prefix in named if name), key=lambda one: one[1]))


def _name(names: dict[str, dict[str, str]], region: str, language: str) -> str | None:
    known = names.get(region, {})
    name = known.get(language)
    if name is not None and name.startswith(_SAME_AS):
        name = known.get(name.removeprefix(_SAME_AS))
    return region if name is not None and name.startswith(_SAME_AS) else name  # a few name nothing but themselves


@cache
def _names() -> dict[str, dict[str, str]]:
    """The names alone: the package around this file would load a hundred megabytes of prefixes with it."""
    spec = spec_from_file_location("phonenumbers.geodata.locale", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    names: dict[str, dict[str, str]] = module.LOCALE_DATA
    return names

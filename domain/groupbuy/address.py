"""Where goods are sent: a snapshot taken when the order was made, so that a later move changes no parcel on its way."""

import re
from dataclasses import dataclass

from domain.errors import FieldProblems
from domain.groupbuy.text import check_line

LINE_CHARACTERS_MAX = 120
POSTAL_CODE_CHARACTERS_MAX = 20
PHONE_CHARACTERS_MAX = 32

_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_OPTIONAL = ("line2", "region", "postal_code", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` is ISO 3166-1 alpha-2 in capitals. Raises `InvalidInput`, fields named."""

    name: str
    line1: str
    city: str
    country: str
    line2: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        problems = FieldProblems()
        for field in ("name", "line1", "city"):
            check_line(problems, f"address.{field}", getattr(self, field), 1, LINE_CHARACTERS_MAX)
        most = {"postal_code": POSTAL_CODE_CHARACTERS_MAX, "phone": PHONE_CHARACTERS_MAX}
        for field in _OPTIONAL:
            value = getattr(self, field)
            if value is not None:
                check_line(problems, f"address.{field}", value, 1, most.get(field, LINE_CHARACTERS_MAX))
        is_country = bool(_COUNTRY.fullmatch(self.country))
        problems.require(is_country, "address.country", "must be a country's two letters (ISO 3166-1) such as DE")
        problems.raise_if_any()

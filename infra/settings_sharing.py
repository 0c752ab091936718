"""The settings of links, cards and pages, and of the apps that open them."""

from dataclasses import dataclass

from infra.settings_values import origin
from infra.settings_variable import variable


@dataclass(frozen=True, kw_only=True)
class SharingSettings:
    """Under which address people find us."""

    public_url: str = variable(
        "TUAN_PUBLIC_URL",
        origin(),
        "",
        "the origin that links begin with, as `https://tuan.example`",
        default_shown="the API on this machine",
    )

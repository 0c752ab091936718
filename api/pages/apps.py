"""Our apps on a page: a banner and buttons, where apps are set up, that lead to the same link in the app.

Sources: Apple, "Promoting apps with Smart App Banners"; Chrome for Developers, "Android Intents with Chrome".
"""

from typing import NamedTuple

from domain.sharing.channels import percent_encoded
from infra.settings import Settings


class Apps(NamedTuple):
    """Our app's number in the App Store and its package on Android; empty where there is none."""

    store_id: str = ""
    package: str = ""


class AppLinks(NamedTuple):
    """What of a page leads into the app; None where there is none."""

    banner: str | None
    iphone: str | None
    android: str | None


def apps_of(settings: Settings) -> Apps:
    """The apps that are set up."""
    return Apps(settings.app_store_id, settings.app_android.package if settings.app_android else "")


def app_links(apps: Apps, address: str) -> AppLinks | None:
    """What leads from a page to the app; None without apps. An iPhone that has it opens links before any page does."""
    if not any(apps):
        return None
    scheme, _, rest = address.partition("://")
    store = f"https://play.google.com/store/apps/details?id={apps.package}"
    intent = f"scheme={scheme};package={apps.package};S.browser_fallback_url={percent_encoded(store)}"
    return AppLinks(
        banner=f"app-id={apps.store_id}, app-argument={address}" if apps.store_id else None,
        iphone=f"https://apps.apple.com/app/id{apps.store_id}" if apps.store_id else None,
        android=f"intent://{rest}#Intent;{intent};end" if apps.package else None,
    )

"""When the console takes messages, and who may read them."""

import ipaddress

from infra.settings import Settings


def is_console_used(settings: Settings) -> bool:
    """Whether something has no other way out, and the console was chosen for it or nothing has another way out."""
    if settings.sms_url and settings.smtp_url:
        return False
    if settings.message_gateway:
        return settings.message_gateway == "console"
    return not (settings.sms_url or settings.smtp_url)


def has_inbox(settings: Settings) -> bool:
    """Whether `/dev/inbox` is there: it signs in anybody as anybody, so only at home, or where it was asked for."""
    is_at_home = is_this_machine(settings.host) and not settings.trusted_proxies
    return is_console_used(settings) and (is_inbox_for_all(settings) or is_at_home)


def is_inbox_for_all(settings: Settings) -> bool:
    """Whether it was asked for in so many words; else it shows itself only to who is at home."""
    return settings.message_gateway == "console"


def is_this_machine(host: str) -> bool:
    """Whether an address is one of this machine's that no other reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

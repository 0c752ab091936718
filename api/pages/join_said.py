"""What a page says when the way into a group is barred: the same refusals as the API's, in the reader's language."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from api.errors import GATEWAY_RETRY_AFTER_S
from api.pages.speaking import JOIN_WORDS
from api.pages.words_join import JoinWords
from api.refused import ApiRefusal, CodeNotSent, ForeignForm, NotAuthenticated, RateLimited, WrongCode
from domain.errors import DomainError, InvalidInput
from domain.groupbuy.errors import (
    Conflict,
    CrowdHasOneGroup,
    DealClosesTooSoon,
    DealNotPublished,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    GroupClosed,
    GroupCommitted,
    GroupFull,
    GuestsMayNotBuy,
    OutOfStock,
    UnitsLimitReached,
    WrongReference,
)
from domain.identity.profile import NAME_CHARACTERS_MAX
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from infra.batch import KeyReused
from infra.identity.recipients import example_phone
from infra.payments.checkout import PaymentDeclined, PaymentLapsed, PaymentTooLate
from infra.payments.port import GatewayRefused, GatewayUnavailable
from infra.unavailable import Unavailable

REFUSALS: Final = (
    ApiRefusal,
    DomainError,
    KeyReused,
    PaymentDeclined,
    PaymentLapsed,
    PaymentTooLate,
    GatewayRefused,
    GatewayUnavailable,
    Unavailable,
)
"""All that the way into a group is barred by."""


class Said(NamedTuple):
    """What is said: of the whole, of single fields, whether other groups are shown beside it, and when to try again."""

    status: int
    problem: str
    errors: Mapping[str, str] = MappingProxyType({})
    shows_others: bool = False
    retry_after_s: int | None = None


_FIELDS: Final = {
    "phone": "phone",
    "code": "code",
    "display_name": "name",
    "quantity": "quantity",
    "variant_id": "variant",
    "address": "line1",
    "address.name": "full_name",
}
"""Fields of the page by what the API calls them; the rest of an address is called alike."""
_KINDS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, int], ...]] = (
    (WrongCode, "wrong_code", 422),
    (CodeNotSent, "not_sent", 503),
    (ForeignForm, "foreign", 403),
    (NotAuthenticated, "gone", 401),
    (GuestsMayNotBuy, "no_guests", 403),
    (OutOfStock, "stock_over", 409),
    (UnitsLimitReached, "units_over", 409),
    (GroupCommitted, "committed", 409),
    (
        (DealNotStarted, DealPausedNow, DealOver, DealNotPublished, DealClosesTooSoon, CrowdHasOneGroup),
        "deal_over",
        409,
    ),
    (PaymentDeclined, "declined", 402),
    (PaymentLapsed, "lapsed", 409),
    ((GatewayUnavailable, Unavailable), "not_now", 503),
)
_ELSEWHERE: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {GroupFull: "group_full", GroupClosed: "group_closed", PaymentTooLate: "too_late"}
)


def said_of(error: Exception, language: Language, region: str) -> Said:
    """What to say of a refusal; `region` is whose phone numbers are shown as an example."""
    words = JOIN_WORDS[language]
    if isinstance(error, InvalidInput):
        return _of_fields([problem.field for problem in error.problems], words, region)
    if isinstance(error, WrongReference):
        return _of_fields([error.field], words, region)
    if isinstance(error, RateLimited):
        wait_s = error.retry_after_s
        return Said(429, words.too_many.format(seconds=wait_s), retry_after_s=wait_s)
    elsewhere = _ELSEWHERE.get(type(error))
    if elsewhere is not None:
        return Said(409, in_a_row((getattr(words, elsewhere), words.go_elsewhere), language), shows_others=True)
    for kind, name, status in _KINDS:
        if isinstance(error, kind):
            return Said(status, getattr(words, name), retry_after_s=_wait_s(error))
    return Said(409 if isinstance(error, Conflict | KeyReused) else 422, words.not_done)


def _wait_s(error: Exception) -> int | None:
    if isinstance(error, GatewayUnavailable):
        return GATEWAY_RETRY_AFTER_S
    return error.retry_after_s if isinstance(error, Unavailable | CodeNotSent) else None


def _of_fields(fields: list[str], words: JoinWords, region: str) -> Said:
    checks = {
        "phone": words.check_phone.format(example=example_phone(region)),
        "code": words.check_code,
        "name": words.check_name.format(count=NAME_CHARACTERS_MAX),
        "quantity": words.check_quantity,
        "variant": words.check_variant,
        "country": words.check_country,
    }
    named = [_FIELDS.get(field, field.removeprefix("address.")) for field in fields]
    errors = {name: checks.get(name, words.check_line) for name in named}
    return Said(422, words.check_fields, errors)

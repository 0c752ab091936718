"""Phone numbers and addresses as people write them, in their one spelling; which of them are one mailbox or phone."""

import re
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from domain.errors import FieldProblem, InvalidInput
from infra.identity.codes import Channel, Recipient

EMAIL_CHARACTERS_MAX: Final = 254
PHONE_CHARACTERS_MAX: Final = 32

# A number and nothing around it: the library would also find one in the middle of a sentence, or in letters.
_PHONE: Final = re.compile(r"\s*[+＋][\d\s()./‐‑‒–—―－-]+")  # noqa: RUF001 - dashes of all kinds are copied from pages
_EMAIL: Final = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_NO_PERSONS: Final = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.PAGER,
        PhoneNumberType.VOICEMAIL,
    }
)
"""Services, of which some cost whoever sends there: nobody's phone."""
_INTERNATIONAL: Final = phonenumbers.PhoneNumberFormat.INTERNATIONAL


def phone_recipient(phone: str) -> Recipient:
    """A number in E.164; raises `InvalidInput` for one that no phone can have, and for services."""
    number = _parsed(phone) if len(phone) <= PHONE_CHARACTERS_MAX and _PHONE.fullmatch(phone) else None
    if number is None or not phonenumbers.is_valid_number(number):
        raise InvalidInput(
            [FieldProblem("phone", "must be a phone number with its country code, such as +447911123456")]
        )
    if phonenumbers.number_type(number) in _NO_PERSONS:
        raise InvalidInput([FieldProblem("phone", "must be a person's number; this is one of a service")])
    return Recipient(Channel.PHONE, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def as_dialled(phone: str, region: str) -> str:
    """A number as people write it at home, with the country code of a region (`DE`); one that has its own stays so."""
    text = phone.strip()
    if text.startswith(("+", "\uff0b")):
        return text
    if text.startswith("00"):
        return f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, region) if len(text) <= PHONE_CHARACTERS_MAX else None
    except phonenumbers.NumberParseException:
        number = None
    return text if number is None else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def dial_codes() -> tuple[tuple[str, str], ...]:
    """Every region that has telephones (`DE`) with its country code (`49`), in the order of the alphabet."""
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    return tuple((region, str(phonenumbers.country_code_for_region(region))) for region in regions)


def example_phone(region: str) -> str:
    """A number of a region as it may look, with its country code, for people to see how to write theirs."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    return "+447911123456" if number is None else phonenumbers.format_number(number, _INTERNATIONAL)


def email_recipient(email: str) -> Recipient:
    """An address in lower case; raises `InvalidInput` for what is no address of one mailbox."""
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise InvalidInput([FieldProblem("email", "must be an e-mail address such as jo@example.com")])
    return Recipient(Channel.EMAIL, email.lower())


def counted_as(recipient: Recipient) -> str:
    """What messages to a recipient are counted for: spellings that reach the same mailbox or phone are one.

    Only limits ask this. Who somebody is remains a matter of the spelling: `a+shop@example.com` may be its own person
    where the provider knows no tags, and counting it with `a@example.com` costs that person little.
    """
    if recipient.channel is Channel.EMAIL:
        mailbox, _, domain = recipient.address.rpartition("@")
        return f"{mailbox.partition('+')[0] or mailbox}@{domain}"
    return _without_mobile_token(recipient.address)


def _without_mobile_token(phone: str) -> str:
    """A number without the digit that says in some countries that it is a mobile's: +54 9 11 … is dialled +54 11 …."""
    number = phonenumbers.parse(phone, None)
    assert number.country_code is not None, "it is a number in E.164"
    token = phonenumbers.country_mobile_token(number.country_code)
    national = phonenumbers.national_significant_number(number)
    return f"+{number.country_code}{national.removeprefix(token)}"


def _parsed(phone: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None

"""Phone numbers and addresses as people write them, in their one spelling."""

import re
from typing import Final

import phonenumbers

from domain.errors import FieldProblem, InvalidInput
from infra.identity.codes import Channel, Recipient

EMAIL_CHARACTERS_MAX: Final = 254
PHONE_CHARACTERS_MAX: Final = 32

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


def phone_recipient(phone: str) -> Recipient:
    """A number in E.164; raises `InvalidInput` for one that no phone can have."""
    try:
        number = phonenumbers.parse(phone[: PHONE_CHARACTERS_MAX + 1], None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or len(phone) > PHONE_CHARACTERS_MAX or not phonenumbers.is_valid_number(number):
        raise InvalidInput(
            [FieldProblem("phone", "must be a phone number with its country code, such as +447911123456")]
        )
    return Recipient(Channel.PHONE, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def email_recipient(email: str) -> Recipient:
    """An address in lower case; raises `InvalidInput` for what is no address of one mailbox."""
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise InvalidInput([FieldProblem("email", "must be an e-mail address such as jo@example.com")])
    return Recipient(Channel.EMAIL, email.lower())

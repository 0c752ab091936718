"""Whom a request names: a phone number, or else an e-mail address."""

from typing import Annotated

from msgspec import Meta

from api.requests import invalid
from infra.identity.codes import Recipient
from infra.identity.recipients import EMAIL_CHARACTERS_MAX, PHONE_CHARACTERS_MAX, email_recipient, phone_recipient

Phone = Annotated[str, Meta(extra_json_schema={"maxLength": PHONE_CHARACTERS_MAX, "examples": ["+447911123456"]})]
Email = Annotated[str, Meta(extra_json_schema={"maxLength": EMAIL_CHARACTERS_MAX, "format": "email"})]


def recipient_of(phone: str | None, email: str | None) -> Recipient:
    """The one of the two that is given; raises `InvalidInput` for none, both, or what nobody can have."""
    if phone is not None and email is None:
        return phone_recipient(phone)
    if email is not None and phone is None:
        return email_recipient(email)
    raise invalid("phone", "is required, or else an email; not both")

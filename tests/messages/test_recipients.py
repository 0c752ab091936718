"""Phone numbers and addresses: one spelling for each, and a clear word for what is none."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from infra.identity.codes import Channel, Recipient
from infra.identity.recipients import EMAIL_CHARACTERS_MAX, counted_as, email_recipient, phone_recipient

EXAMPLES = [
    example
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
FORMATS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
)


@pytest.mark.parametrize(
    "written",
    [
        "+447911123456",
        "+44 7911 123456",
        "+44 (7911) 123-456",
        "  +44.7911.123456",
        "+44\u00a07911\u00a0123456",
        "\uff0b44 7911 123456",
        "+44 7911\u2011123\u2013456",
        "+44 (0) 7911 123456",
    ],
)
def test_spellings_of_a_number_are_one(written: str) -> None:
    """What people paste from pages and address books is the same phone."""
    assert phone_recipient(written) == Recipient(Channel.PHONE, "+447911123456")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "mei",
        "07911123456",
        "447911123456",
        "0044 7911 123456",
        "+44 7911 12345",
        "+44 7911 1234567",
        "+999 123456789",
        "+1-800-FLOWERS",
        "call +447911123456",
        "+447911123456 call me",
        "+447911123456 ext. 5",
        "+447911123456;ext=5",
        "tel:+447911123456",
        "+447911123456,+447911123457",
        "+44 7911 123456\0",
        "+" + "4" * 40,
        "+4479111234" + " " * 30 + "56",
    ],
)
def test_what_no_phone_can_have_names_the_field(written: str) -> None:
    """The country code is asked for, with an example."""
    with pytest.raises(InvalidInput) as refused:
        phone_recipient(written)
    (problem,) = refused.value.problems
    assert problem.field == "phone"
    assert "country code, such as +44" in problem.message


@pytest.mark.parametrize("written", ["+44 909 8790000", "+1 800 356 9377", "+44 844 123 4567"])
def test_services_are_nobodys_phone(written: str) -> None:
    """A number that costs whoever sends there is no place for codes."""
    with pytest.raises(InvalidInput, match="service"):
        phone_recipient(written)


@pytest.mark.parametrize("written", ["mei@example.com", "Mei@EXAMPLE.com", "MEI@example.Com"])
def test_spellings_of_an_address_are_one(written: str) -> None:
    """Nobody has two accounts for having held the shift key."""
    assert email_recipient(written) == Recipient(Channel.EMAIL, "mei@example.com")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "mei",
        "@example.com",
        "mei@",
        "mei@example",
        "mei@-example.com",
        "mei@example..com",
        ".mei@example.com",
        "mei.@example.com",
        "m..ei@example.com",
        "mei@example.com\r\nBcc: evil@example.com",
        "mei@example.com\n",
        "mei@example.com,evil@example.com",
        "Mei <mei@example.com>",
        "mei example@example.com",
        "meï@example.com",
        "mei@example.com\0",
        "a" * 65 + "@example.com",
        "mei@" + "a." * 130 + "com",
        '"mei"@example.com',
        "mei@[127.0.0.1]",
    ],
)
def test_what_is_no_address_names_the_field(written: str) -> None:
    """Neither a list, nor a name, nor a line end gets through to a mail server."""
    with pytest.raises(InvalidInput) as refused:
        email_recipient(written)
    assert [problem.field for problem in refused.value.problems] == ["email"]


@pytest.mark.parametrize(
    ("written", "mailbox"),
    [
        ("mei@example.com", "mei@example.com"),
        ("Mei+1@EXAMPLE.com", "mei@example.com"),
        ("mei+1+2@example.com", "mei@example.com"),
        ("mei+@example.com", "mei@example.com"),
        ("+tag@example.com", "+tag@example.com"),
        ("me.i@example.com", "me.i@example.com"),
    ],
)
def test_tags_of_a_mailbox_are_counted_together_and_are_their_own_person(written: str, mailbox: str) -> None:
    """A flood of one mailbox is limited whatever follows the plus; who signs in is whoever was written."""
    recipient = email_recipient(written)
    assert counted_as(recipient) == mailbox
    assert recipient.address == written.lower()


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("+54 9 11 2345-6789", "+541123456789"),
        ("+54 11 2345-6789", "+541123456789"),
        ("+54 11 15 2345 6789", "+541123456789"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+39 06 1234 5678", "+390612345678"),
        ("+44 7911 123456", "+447911123456"),
    ],
)
def test_both_spellings_of_a_mobile_are_counted_together(written: str, phone: str) -> None:
    """Argentina's mobiles are dialled with a 9 from abroad and without it: messages reach the same one."""
    assert counted_as(phone_recipient(written)) == phone


def test_the_former_spelling_of_mexican_mobiles_is_none() -> None:
    """The 1 after +52 is no part of a number since 2019, so there is one spelling to count."""
    with pytest.raises(InvalidInput):
        phone_recipient("+52 1 55 1234 5678")


@given(st.sampled_from(EXAMPLES))
def test_what_is_counted_is_a_number_of_the_same_country(number: phonenumbers.PhoneNumber) -> None:
    """Whichever number it is, no other country's block is charged for it."""
    counted = counted_as(phone_recipient(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)))
    assert phonenumbers.parse(counted, None).country_code == number.country_code


@given(st.sampled_from(EXAMPLES), st.sampled_from(FORMATS), st.sampled_from(["", " ", "\t"]))
def test_a_number_in_its_one_spelling_stays(number: phonenumbers.PhoneNumber, form: int, before: str) -> None:
    """Every country's mobiles are taken as they are printed, and normalising again changes nothing."""
    once = phone_recipient(before + phonenumbers.format_number(number, form))
    assert phone_recipient(once.address) == once
    assert once.address == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(st.text(max_size=40) | st.text("+0123456789 ()-", max_size=20))
def test_any_text_is_a_number_in_its_one_spelling_or_refused(text: str) -> None:
    """Nothing else comes out, whatever goes in."""
    try:
        found = phone_recipient(text)
    except InvalidInput:
        return
    assert found.address.startswith("+")
    assert found.address[1:].isascii()
    assert found.address[1:].isdigit()
    assert phone_recipient(found.address) == found


@given(st.emails() | st.text(max_size=40) | st.from_regex(r"[a-zA-Z.]{1,9}@[a-z.-]{1,9}"))
def test_any_text_is_an_address_in_its_one_spelling_or_refused(text: str) -> None:
    """Nothing with blanks, line ends or a second recipient comes out, and normalising again changes nothing."""
    try:
        found = email_recipient(text)
    except InvalidInput:
        return
    assert email_recipient(found.address) == found
    assert found.address == found.address.lower()
    assert found.address.isascii()
    assert found.address.isprintable()
    assert not set(found.address) & set(' ,;<>"')
    assert found.address.count("@") == 1
    assert len(found.address) <= EMAIL_CHARACTERS_MAX

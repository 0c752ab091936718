"""The form of a place as the API's body: the same rules judge both."""

from uuid import UUID

from api.pages.web_forms import Form
from api.place_body import AddressBody, PlaceBody
from api.requests import invalid, read_id
from domain.groupbuy.deal import QUANTITY_MAX

_QUANTITY_DIGITS_MAX = len(str(QUANTITY_MAX))


def as_place(form: Form, payment_method: str | None) -> PlaceBody:
    """What somebody wants to take, whoever brought them; raises `InvalidInput`, naming the field as the API does."""
    return PlaceBody(
        quantity=_quantity(form.get("quantity", "1")),
        variant_id=_variant(form.get("variant")),
        payment_method=payment_method,
        address=_address(form) if "country" in form else None,
    )


def _quantity(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _QUANTITY_DIGITS_MAX):
        raise invalid("quantity", "must be a whole number")
    return int(text)


def _variant(text: str | None) -> UUID | None:
    variant_id = None if text is None else read_id(text)
    if text is not None and variant_id is None:
        raise invalid("variant_id", "must be one of the deal's")
    return variant_id


def _address(form: Form) -> AddressBody:
    return AddressBody(
        name=form.get("full_name", ""),
        line1=form.get("line1", ""),
        city=form.get("city", ""),
        country=form["country"],
        line2=form.get("line2"),
        region=form.get("region"),
        postal_code=form.get("postal_code"),
    )

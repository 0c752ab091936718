"""Operations on what belongs to an account, for their callers."""

from functools import partial
from typing import Final

from api.addresses import AddressBook, EditAddressBody, NewAddressBody
from api.contract import examples
from api.contract.identity_operations import ACCOUNT_EXAMPLE
from api.contract.operation import Operation, Received, Sent
from api.devices import DeviceBody, Devices
from api.export import Export
from api.profile import ProfileBody
from api.refused import AccountNotFound, AddressNotFound, DeviceNotFound
from infra.identity.address_book import TooManyAddresses
from infra.identity.deletion import AccountStillNeeded
from infra.identity.freshness import FreshSignInNeeded
from infra.identity.personal import SECTIONS
from infra.identity.profiles import ChangedMeanwhile
from infra.reading.belongings import AddressEntry, DeviceView
from infra.reading.sessions import AccountView

_ID: Final = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
_AT: Final = "2026-05-01T12:00:00Z"
_ADDRESS: Final = {"line2": None, "region": None, "phone": None, **examples.ADDRESS}
_ENTRY: Final = {"id": _ID, "label": "Home", "address": _ADDRESS, "is_default": True, "created_at": _AT}
_DEVICE: Final = {"id": _ID, "platform": "ios", "push_token": "740f4707bebcf74f9b7c25d48e335894", "seen_at": _AT}
_EXPORT: Final[dict[str, object]] = {section.name: [] for section in SECTIONS}

_entry: Final = partial(Sent, shape=AddressEntry, example=_ENTRY)
_device: Final = partial(Sent, shape=DeviceView, example=_DEVICE)

PROFILE: Final[dict[str, Operation]] = {
    "PATCH /v1/me": Operation(
        "change_profile",
        summary="Change my profile",
        description=(
            "A new name or picture is shown wherever the account has a place. After a new name the access tokens with "
            "the old one are refused: refresh them. Of `notifications` only what is named changes; what one has to do "
            "at once (`payment_needed`) is pushed in quiet hours too, all else waits for their end."
        ),
        body=Received(
            ProfileBody,
            {
                "display_name": "Mei",
                "locale": "zh-Hans-CN",
                "notifications": {
                    "marketing": True,
                    "kinds": {"joined": {"push": False}},
                    "quiet_hours": {"begin": "22:00", "end": "08:00", "time_zone": "Asia/Shanghai"},
                },
            },
        ),
        answers={200: Sent("The account as it is now.", AccountView, ACCOUNT_EXAMPLE, ("ETag",))},
        query=("if_match",),
        problems=(AccountNotFound, ChangedMeanwhile),
    ),
    "GET /v1/me/export": Operation(
        "export_me",
        summary="All that is kept about me",
        description="One document, sent as it is read; where it breaks off, so does the connection.",
        answers={200: Sent("Rows as they are kept.", Export, _EXPORT)},
        problems=(AccountNotFound,),
    ),
    "DELETE /v1/me": Operation(
        "delete_me",
        summary="Delete my account",
        description=(
            "For good. Needs a session begun within the last 10 minutes: sign in again first (a guest need not). "
            "Groups that can be left are left, awaited payments lapse, and everything personal goes; what money needs "
            "is kept under the bare id. An application to be a merchant that nobody else owns is withdrawn, with its "
            "API keys and invites. Where the account is still needed, nothing is done and `needed_for` says why."
        ),
        answers={204: Sent("There is no account any more.")},
        problems=(AccountNotFound, FreshSignInNeeded, AccountStillNeeded),
    ),
    "GET /v1/me/addresses": Operation(
        "list_addresses",
        summary="My address book",
        answers={200: Sent("All addresses, the default first.", AddressBook, {"items": [_ENTRY]})},
    ),
    "POST /v1/me/addresses": Operation(
        "add_address",
        summary="Add an address",
        description=(
            "Opening, joining and buying take its id as `address_id`. Sending it again is safe: an address that is in "
            "the book under the same label is not added twice. The first one is the default."
        ),
        body=Received(NewAddressBody, {"label": "Home", "address": examples.ADDRESS}),
        answers={
            200: _entry("It was there already."),
            201: _entry("The new address."),
        },
        problems=(AccountNotFound, TooManyAddresses),
    ),
    "PATCH /v1/me/addresses/{address_id}": Operation(
        "change_address",
        summary="Change an address",
        description="Orders keep the copies they have. Making an address the default takes that from the other.",
        body=Received(EditAddressBody, {"is_default": True}),
        answers={200: _entry("The address as it is now.")},
        problems=(AddressNotFound,),
    ),
    "DELETE /v1/me/addresses/{address_id}": Operation(
        "remove_address",
        summary="Delete an address",
        description="Orders keep the copies they have. After the default the oldest of the others is it.",
        answers={204: Sent("Deleted.")},
        problems=(AddressNotFound,),
    ),
    "GET /v1/me/devices": Operation(
        "list_devices",
        summary="My devices to push to",
        answers={200: Sent("All devices, the one seen last first.", Devices, {"items": [_DEVICE]})},
    ),
    "POST /v1/me/devices": Operation(
        "register_device",
        summary="Push to this device",
        description=(
            "To be sent at each start of the app: it is safe to repeat. A token another account had is this one's from "
            "now on. Of more than 20 devices the one seen longest ago makes room."
        ),
        body=Received(DeviceBody, {"platform": "ios", "push_token": _DEVICE["push_token"]}),
        answers={
            200: _device("It was yours already."),
            201: _device("New to this account."),
        },
        problems=(AccountNotFound, DeviceNotFound),
    ),
    "DELETE /v1/me/devices/{device_id}": Operation(
        "remove_device",
        summary="Push to this device no more",
        answers={204: Sent("Forgotten.")},
        problems=(DeviceNotFound,),
    ),
}

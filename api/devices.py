"""The devices to push to."""

import re
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.access import caller_of
from api.answers import PRIVATE, Answer, NothingToSay, answered
from api.bodies import read_json
from api.refused import AccountNotFound, DeviceNotFound
from api.requests import AnyRequest, invalid, path_id, runtime_of
from api.routing import route
from infra.identity.accounts import hold_account
from infra.identity.devices import PUSH_TOKEN_CHARACTERS_MAX, register_device, remove_device
from infra.reading.belongings import DeviceView, list_devices

_TOKEN: Final = re.compile(rf"[!-~]{{1,{PUSH_TOKEN_CHARACTERS_MAX}}}")
_PushToken = Annotated[
    str, Meta(extra_json_schema={"pattern": "^[!-~]+$", "minLength": 1, "maxLength": PUSH_TOKEN_CHARACTERS_MAX})
]


class Platform(StrEnum):
    """Whose push service has the token."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"
    WECHAT = "wechat"


class DeviceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the platform's push service gave the app."""

    platform: Platform
    push_token: _PushToken


class Devices(msgspec.Struct, frozen=True, kw_only=True):
    """All devices, the one seen last first."""

    items: list[DeviceView]


_device_body: Final = msgspec.json.Decoder(DeviceBody)


@route("GET", "/v1/me/devices")
async def devices(request: AnyRequest) -> Answer:
    items = await list_devices(runtime_of(request).engine, caller_of(request).subject)
    return answered(Devices(items=items), headers=PRIVATE)


@route("POST", "/v1/me/devices")
async def register(request: AnyRequest) -> Answer:
    """Push to this device from now on, and to nobody else who had it before."""
    body = await read_json(request, _device_body)
    if not _TOKEN.fullmatch(body.push_token):
        raise invalid("push_token", f"must have from 1 to {PUSH_TOKEN_CHARACTERS_MAX} visible ASCII characters")
    engine, account_id = runtime_of(request).engine, caller_of(request).subject
    async with engine.begin() as connection:
        if await hold_account(connection, account_id) is None:
            raise AccountNotFound
        device_id, is_new = await register_device(connection, account_id, body.platform, body.push_token)
    items = await list_devices(engine, account_id)
    device = next((item for item in items if item.id == device_id), None)
    if device is None:  # another account took it in this very moment
        raise DeviceNotFound(device_id)
    return answered(device, 201 if is_new else 200, PRIVATE)


@route("DELETE", "/v1/me/devices/{device_id}")
async def unregister(request: AnyRequest) -> Answer:
    device_id, account_id = path_id(request, "device_id"), caller_of(request).subject
    async with runtime_of(request).engine.begin() as connection:
        if not await remove_device(connection, account_id, device_id):
            raise DeviceNotFound(device_id)
    return NothingToSay()

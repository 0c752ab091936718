"""An account and its sessions, for whoever they are."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.profile import NOTICES_DEFAULT, Notice
from domain.notices.kinds import Channel, Kind
from infra.notices.choices import KeptChoices, KeptQuietHours
from infra.reading.fetching import fetch_json

_SESSIONS = text("""
  SELECT coalesce(json_agg(s), '[]')::text FROM (
    SELECT id, device, created_at, used_at, expires_at FROM sessions
    WHERE account_id = :account_id AND ended_at IS NULL AND expires_at > clock_timestamp()
    ORDER BY used_at DESC, id LIMIT 100) s""")
_ACCOUNT = text("""
  SELECT coalesce((SELECT json_build_object(
    'id', id, 'is_guest', status = 'guest', 'display_name', display_name, 'avatar_url', avatar_url, 'locale', locale,
    'notifications', notifications, 'version', version, 'created_at', created_at,
    'identities', (SELECT coalesce(json_agg(json_build_object('provider', provider, 'subject', subject)), '[]')
      FROM identities WHERE account_id = accounts.id),
    'merchants', (SELECT coalesce(json_agg(json_build_object(
        'id', merchants.id, 'name', name, 'role', role, 'standing', merchants.status)), '[]')
      FROM staff JOIN merchants ON merchants.id = staff.merchant_id WHERE staff.account_id = accounts.id)
  ) FROM accounts WHERE id = :account_id AND status <> 'deleted'), 'null')::text""")


class SessionRow(msgspec.Struct, frozen=True):
    """A session at work."""

    id: UUID
    device: str | None
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class ProvenView(msgspec.Struct, frozen=True):
    """A way to sign in: a phone number, an address or a provider's id of somebody."""

    provider: str
    subject: str


class EmploymentView(msgspec.Struct, frozen=True):
    """A merchant somebody works for, and as what."""

    id: UUID
    name: str
    role: str
    standing: str


class NotificationsView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to be sent: the first three switch things off altogether, `kinds` say by which way."""

    group_closing: bool = NOTICES_DEFAULT[Notice.GROUP_CLOSING]
    price_dropped: bool = NOTICES_DEFAULT[Notice.PRICE_DROPPED]
    marketing: bool = NOTICES_DEFAULT[Notice.MARKETING]
    kinds: dict[Kind, dict[Channel, bool]] = msgspec.field(default_factory=dict)
    quiet_hours: KeptQuietHours | None = None

    def effective(self) -> "NotificationsView":
        """The same with every kind, whether it was chosen or not."""
        kept = KeptChoices(group_closing=self.group_closing, price_dropped=self.price_dropped, kinds=self.kinds)
        return msgspec.structs.replace(self, kinds=kept.effective())


class AccountView(msgspec.Struct, frozen=True):
    """An account as its owner sees it."""

    id: UUID
    is_guest: bool
    display_name: str | None
    avatar_url: str | None
    locale: str | None
    notifications: NotificationsView
    version: int
    created_at: datetime
    identities: list[ProvenView]
    merchants: list[EmploymentView]


_decode_sessions = msgspec.json.Decoder(list[SessionRow]).decode
_decode_account = msgspec.json.Decoder(AccountView | None).decode


async def list_sessions(engine: AsyncEngine, account_id: UUID) -> list[SessionRow]:
    """The sessions of an account, the one used last first; raises `Unavailable`."""
    return _decode_sessions(await fetch_json(engine, _SESSIONS, {"account_id": account_id}))


async def get_account(engine: AsyncEngine, account_id: UUID) -> AccountView | None:
    """The account; None for a token of no account, as from the command line. Raises `Unavailable`."""
    account: AccountView | None = _decode_account(await fetch_json(engine, _ACCOUNT, {"account_id": account_id}))
    return account and msgspec.structs.replace(account, notifications=account.notifications.effective())

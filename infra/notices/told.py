"""A notice with what its text is made of, as both the inbox and whatever is sent show it."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.notices.facts import Facts
from domain.notices.kinds import MONEY_GOES_BACK, Kind
from domain.notices.texts import Money, Telling, notice_text
from domain.sharing.language import Language
from domain.sharing.titles import shown_title

TITLE_CHARACTERS_MAX: Final = 60

NOTICE_JSON: Final = """json_build_object(
  'id', n.id, 'kind', n.kind, 'deal_id', n.deal_id, 'group_id', n.group_id, 'order_id', n.order_id,
  'title', (SELECT title FROM deals WHERE deals.id = n.deal_id),
  'currency', (SELECT currency FROM deals WHERE deals.id = n.deal_id),
  'facts', n.facts, 'at', n.at, 'created_at', n.created_at, 'read_at', n.read_at,
  'useful_until', n.useful_until,
  'money', (SELECT s.status FROM settlements s WHERE s.deal_id = n.deal_id AND s.order_id = n.order_id),
  'was_held', EXISTS (SELECT FROM payments p WHERE p.deal_id = n.deal_id AND p.order_id = n.order_id))"""
"""A row `n` of `notices`. What became of the money is looked up: a notice of a minute ago still says what is true."""


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A notice with what is told of its deal, and how far its money is: null where no settlement is written yet."""

    id: UUID
    kind: Kind
    deal_id: UUID
    group_id: UUID | None
    order_id: UUID | None
    title: str
    currency: str
    facts: Facts
    at: datetime
    created_at: datetime
    read_at: datetime | None
    useful_until: datetime | None
    money: str | None
    was_held: bool

    @property
    def whereabouts(self) -> Money:
        """Where the money is, if it is to come back."""
        if not self.was_held:
            return Money.NEVER_TAKEN
        return Money.BACK if self.money == "done" else Money.COMING_BACK

    @property
    def is_money_back(self) -> bool | None:
        """None where no money is to come back."""
        return None if self.kind not in MONEY_GOES_BACK else self.whereabouts is not Money.COMING_BACK

    def telling(self) -> Telling:
        """What its text is made of."""
        return Telling(
            kind=self.kind,
            title=self.title,
            currency=self.currency,
            facts=self.facts,
            money=self.whereabouts,
            is_alone=self.group_id is None,
        )

    def text(self, language: Language) -> str:
        """What it says; the title stands beside it."""
        return notice_text(self.telling(), language)

    def shown_title(self) -> str:
        """What it is about: the deal's title, fit for one line."""
        return shown_title(self.title, TITLE_CHARACTERS_MAX)

    def link(self, origin: str) -> str | None:
        """Where to go on from it; None where there is no group, as for what is bought alone."""
        return None if self.group_id is None else f"{origin}/g/{self.group_id}"

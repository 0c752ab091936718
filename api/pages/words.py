"""What pages say: every sentence in every language, whole, with names for what is filled in.

A language lacks nothing, or it cannot be built. Who reads them: `fill` in templates, which escapes whatever comes from
people.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain.sharing.language import by_language
from domain.sharing.saying import Forms


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """All that pages say in one language: `months` as `moment` writes them."""

    # times
    months: tuple[str, ...]
    moment: str
    days_short: str
    # a group
    skip: str
    invited_by: str
    picture_of: str
    price_now: str
    price_final: str
    per_unit: str
    alone: str
    less: str
    ladder: str
    prices: str
    from_people: Forms
    tier_reached: str
    tier_now: str
    tier_next: str
    on_the_way: str
    people_in: Forms
    nobody_in: str
    and_more: Forms
    leader: str
    free_place: str
    places_left: Forms
    no_place_left: str
    live: str
    open_until: str
    time_left: str
    time_is_up: str
    closed_on: str
    join: str
    join_the_group: str
    at_most: str
    nobody_pays_alone: str
    open_own: str
    about: str
    sold_by: str
    # sharing
    share_title: str
    share_why: str
    share_why_lowest: str
    share_now: str
    copy_link: str
    copied: str
    by_email: str
    by_sms: str
    link: str
    qr_of_link: str
    qr_why: str
    # its fate
    succeeded: str
    everyone_pays: str
    failed: str
    cancelled: str
    nobody_pays: str
    because_full: str
    because_deadline: str
    because_merchant: str
    because_left: str
    because_platform: str
    # elsewhere
    other_groups: str
    other_deals: str
    language: str
    # for whoever comes without a link
    front: str
    front_why: str
    front_api: str
    # for whoever ends letters
    no_letters: str
    no_letters_why: str
    no_letters_yes: str
    no_letters_done: str
    no_letters_where: str
    # what went wrong
    link_unknown: str
    link_unknown_why: str
    group_unknown: str
    group_unknown_why: str
    too_many: str
    too_many_why: str
    not_now: str
    not_now_why: str
    fault: str
    fault_why: str
    load_again: str

    def moment_text(self, moment: datetime) -> str:
        """A moment as people write it, in UTC and saying so: not everybody's browser can tell theirs."""
        there = moment.astimezone(UTC)
        return self.moment.format(
            day=there.day, month=self.months[there.month - 1], year=there.year, time=f"{there:%H:%M}"
        )

    def because(self, closed_by: str | None) -> str | None:
        """Why a group was closed."""
        return {
            "full": self.because_full,
            "deadline": self.because_deadline,
            "merchant": self.because_merchant,
            "everyone_left": self.because_left,
            "platform": self.because_platform,
        }.get(closed_by or "")


OWN_NAMES: Final = by_language(en="English", zh="中文", de="Deutsch", es="Español")
"""What each language calls itself."""

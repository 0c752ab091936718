"""What is said of a group, in four languages: plain sentences with places for names, counts and amounts.

`{title}` is the deal's title; `{count}` and `{all}` are counts; `{price}` is what a unit costs now, `{next}` after the
next tier, `{alone}` without a group; `{saving}` is what each saves by the next tier.
"""

from dataclasses import dataclass
from typing import Final

from domain.sharing.language import by_language
from domain.sharing.saying import Forms, for_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language's sentences.

    `to_tip` is said before the first tier, `to_next` before any other, by how many are needed, and `to_be_two` where
    one is and makes two of them; `unpaid_count` follows where reserved places are counted besides those needed, and
    `to_be_paid` is said where they are enough; `at_lowest` when there is no tier left to reach. `no_place` is of a
    group without a free place, `sold_out` of a deal of which nothing is left.
    """

    line: str
    greeting: str
    subject: str
    nobody_is_in: str
    people: Forms
    to_tip: Forms
    to_next: Forms
    to_be_two: str
    to_be_paid: str
    unpaid_count: str
    now: str
    at_lowest: str
    places: Forms
    many_places: str
    no_place: str
    sold_out: str
    succeeded: Forms
    failed: str
    cancelled: str


_ENGLISH: Final = Wording(
    line="{title}: {news}",
    greeting="Join me: {title}",
    subject="Join me: {title} for {price} instead of {alone}",
    nobody_is_in="Nobody is in yet.",
    people=Forms("1 person is in.", "{count} people are in."),
    to_tip=Forms(
        "One more and everybody pays {next} instead of {alone}.",
        "{count} more and everybody pays {next} instead of {alone}.",
    ),
    to_next=Forms(
        "One more and all {all} of us save {saving} each.",
        "{count} more and all {all} of us save {saving} each.",
    ),
    to_be_two="One more and we both save {saving}.",
    to_be_paid="Once reserved places are paid, the price is {next}.",
    unpaid_count="This counts places still unpaid.",
    now="Now {price} instead of {alone}.",
    at_lowest="{price} instead of {alone}: the lowest price is reached.",
    places=Forms("Only one place left.", "{count} places left."),
    many_places="There is room for more.",
    no_place="All places are taken or reserved right now.",
    sold_out="Everything is sold or reserved right now.",
    succeeded=Forms(
        "Done! One person pays {price} instead of {alone}.", "Done! All {count} pay {price} instead of {alone}."
    ),
    failed="The group did not fill up in time. Nobody pays anything.",
    cancelled="The group was cancelled. Nobody pays anything.",
)

_CHINESE: Final = Wording(
    line="{title}：{news}",
    greeting="一起拼团：{title}",
    subject="一起拼团：{title}，{price}（单买{alone}）",
    nobody_is_in="还没有人参团。",
    people=for_all("已有{count}人参团。"),
    to_tip=for_all("再来{count}人，每人只付{next}，单买{alone}。"),
    to_next=for_all("再来{count}人，我们{all}人每人再省{saving}。"),
    to_be_two="再来1人，我们俩每人再省{saving}。",
    to_be_paid="预留名额付款后，每人只付{next}。",
    unpaid_count="已计入待付款的预留名额。",
    now="现价{price}，单买{alone}。",
    at_lowest="{price}，单买{alone}，已是最低价。",
    places=Forms("仅剩{count}个名额。", "还剩{count}个名额。"),
    many_places="还有名额。",
    no_place="目前名额已满或已被预留。",
    sold_out="目前已全部售出或被预留。",
    succeeded=for_all("拼团成功！{count}人每人只付{price}，单买{alone}。"),
    failed="人数不足，未能成团，不收取任何费用。",
    cancelled="拼团已取消，不收取任何费用。",
)

_GERMAN: Final = Wording(
    line="{title}: {news}",
    greeting="Mach mit: {title}",
    subject="Mach mit: {title} für {price} statt {alone}",
    nobody_is_in="Noch ist niemand dabei.",
    people=Forms("1 Person ist dabei.", "{count} Personen sind dabei."),
    to_tip=Forms(
        "Kommt noch jemand dazu, zahlen alle {next} statt {alone}.",
        "Kommen noch {count} dazu, zahlen alle {next} statt {alone}.",
    ),
    to_next=Forms(
        "Kommt noch jemand dazu, sparen wir alle {all} je {saving}.",
        "Kommen noch {count} dazu, sparen wir alle {all} je {saving}.",
    ),
    to_be_two="Kommt noch jemand dazu, sparen wir beide je {saving}.",
    to_be_paid="Sind die reservierten Plätze bezahlt, zahlen alle {next}.",
    unpaid_count="Unbezahlte Plätze zählen mit.",
    now="Jetzt {price} statt {alone}.",
    at_lowest="{price} statt {alone}: Der niedrigste Preis ist erreicht.",
    places=Forms("Nur noch ein Platz frei.", "Noch {count} Plätze frei."),
    many_places="Es sind noch Plätze frei.",
    no_place="Gerade sind alle Plätze vergeben oder reserviert.",
    sold_out="Gerade ist alles verkauft oder reserviert.",
    succeeded=Forms(
        "Geschafft! Eine Person zahlt {price} statt {alone}.", "Geschafft! Alle {count} zahlen {price} statt {alone}."
    ),
    failed="Die Gruppe kam nicht rechtzeitig zusammen. Niemand zahlt etwas.",
    cancelled="Die Gruppe wurde abgesagt. Niemand zahlt etwas.",
)

_SPANISH: Final = Wording(
    line="{title}: {news}",
    greeting="Únete: {title}",
    subject="Únete: {title} por {price} en vez de {alone}",
    nobody_is_in="Todavía no hay nadie en el grupo.",
    people=Forms("Ya hay 1 persona en el grupo.", "Ya hay {count} personas en el grupo."),
    to_tip=Forms(
        "Con una persona más, pagamos {next} cada uno en vez de {alone}.",
        "Con {count} personas más, pagamos {next} cada uno en vez de {alone}.",
    ),
    to_next=Forms(
        "Con una persona más, los {all} ahorramos {saving} cada uno.",
        "Con {count} personas más, los {all} ahorramos {saving} cada uno.",
    ),
    to_be_two="Con una persona más, los dos ahorramos {saving} cada uno.",
    to_be_paid="Pagadas las reservas, el precio será {next}.",
    unpaid_count="Incluye plazas sin pagar.",
    now="Ahora {price} en vez de {alone}.",
    at_lowest="{price} en vez de {alone}: es el precio más bajo.",
    places=Forms("Queda una sola plaza.", "Quedan {count} plazas."),
    many_places="Quedan plazas libres.",
    no_place="Ahora mismo todas las plazas están ocupadas o reservadas.",
    sold_out="Ahora mismo está todo vendido o reservado.",
    succeeded=Forms(
        "¡Conseguido! Una persona paga {price} en vez de {alone}.",
        "¡Conseguido! Los {count} pagan {price} en vez de {alone}.",
    ),
    failed="El grupo no se completó a tiempo. Nadie paga nada.",
    cancelled="El grupo se canceló. Nadie paga nada.",
)

WORDINGS: Final = by_language(en=_ENGLISH, zh=_CHINESE, de=_GERMAN, es=_SPANISH)

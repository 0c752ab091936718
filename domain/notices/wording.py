"""What notices say, in four languages: plain sentences with places for counts and amounts.

`{count}` are people who came, places that are left, or units that somebody takes; `{price}` is what a unit costs now,
`{alone}` without a group, `{pays}` what somebody pays in all, `{amount}` what a payment is of.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.sharing.language import by_language
from domain.sharing.saying import Forms, for_all


class Reserved(NamedTuple):
    """A sentence about what was kept for somebody: a place in a group, or what they order alone."""

    place: str
    order: str

    def of(self, *, is_alone: bool) -> str:
        """The one that fits."""
        return self.order if is_alone else self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWording:
    """One language's sentences; what the next people are worth, and where a group stands, is said as in invites."""

    joined: Forms
    price_dropped: str
    lowest: str
    places: Forms
    one_hour_left: str
    succeeded: str
    you_pay: Forms
    failed: str
    cancelled: str
    money_is_back: str
    money_comes_back: str
    nothing_to_pay: str
    payment_needed: Reserved
    payment_late: Reserved
    payment_missed: Reserved
    payment_refused: Reserved
    other_groups: str


_ENGLISH: Final = NoticeWording(
    joined=Forms("One more person joined.", "{count} more people joined."),
    price_dropped="The price dropped: {price} each now.",
    lowest="That is the lowest price.",
    places=Forms("Only one place left.", "Only {count} places left."),
    one_hour_left="One hour left.",
    succeeded="Your group succeeded!",
    you_pay=Forms("You pay {pays} instead of {alone}.", "You pay {pays}: {count} for {price} each."),
    failed="Your group did not fill up in time.",
    cancelled="Your group was cancelled.",
    money_is_back="Your money is back.",
    money_comes_back="Your money is on its way back to you.",
    nothing_to_pay="You pay nothing.",
    payment_needed=Reserved(
        "Your place is kept for a few minutes: pay {amount} to be in.",
        "Your order is kept for a few minutes: pay {amount} to complete it.",
    ),
    payment_late=Reserved(
        "Your payment of {amount} came when your place was no longer kept.",
        "Your payment of {amount} came when your order was no longer kept.",
    ),
    payment_missed=Reserved(
        "No payment came through, so your place is no longer kept.",
        "No payment came through, so your order is no longer kept.",
    ),
    payment_refused=Reserved(
        "Your payment could not be collected, so you are no longer in the group.",
        "Your payment could not be collected, so your order was cancelled.",
    ),
    other_groups="There are other groups to join.",
)

_CHINESE: Final = NoticeWording(
    joined=for_all("又有{count}人参团。"),
    price_dropped="降价了：现在每件{price}。",
    lowest="已是最低价。",
    places=for_all("仅剩{count}个名额。"),
    one_hour_left="还剩1小时。",
    succeeded="拼团成功！",
    you_pay=Forms("您只需支付{pays}，单买{alone}。", "您只需支付{pays}：{count}件，每件{price}。"),
    failed="人数不足，未能成团。",
    cancelled="拼团已取消。",
    money_is_back="款项已退回。",
    money_comes_back="款项正在退回途中。",
    nothing_to_pay="您无需支付任何费用。",
    payment_needed=Reserved(
        "名额为您保留几分钟：支付{amount}即可参团。",
        "订单为您保留几分钟：支付{amount}即可完成。",
    ),
    payment_late=Reserved(
        "您支付的{amount}到账时，名额已不再保留。",
        "您支付的{amount}到账时，订单已不再保留。",
    ),
    payment_missed=Reserved(
        "未收到付款，名额已不再保留。",
        "未收到付款，订单已不再保留。",
    ),
    payment_refused=Reserved(
        "扣款未成功，您已不在拼团中。",
        "扣款未成功，订单已取消。",
    ),
    other_groups="还有其他拼团可以参加。",
)

_GERMAN: Final = NoticeWording(
    joined=Forms("Noch jemand ist dabei.", "{count} weitere sind dabei."),
    price_dropped="Der Preis ist gefallen: jetzt {price} pro Stück.",
    lowest="Das ist der niedrigste Preis.",
    places=Forms("Nur noch ein Platz frei.", "Nur noch {count} Plätze frei."),
    one_hour_left="Noch eine Stunde.",
    succeeded="Deine Gruppe hat es geschafft!",
    you_pay=Forms("Du zahlst {pays} statt {alone}.", "Du zahlst {pays}: {count} Stück für je {price}."),
    failed="Deine Gruppe kam nicht rechtzeitig zusammen.",
    cancelled="Deine Gruppe wurde abgesagt.",
    money_is_back="Dein Geld ist zurück.",
    money_comes_back="Dein Geld ist auf dem Weg zurück zu dir.",
    nothing_to_pay="Du zahlst nichts.",
    payment_needed=Reserved(
        "Dein Platz ist für ein paar Minuten reserviert: Zahle {amount}, dann bist du dabei.",
        "Deine Bestellung ist für ein paar Minuten reserviert: Zahle {amount}, dann ist sie fertig.",
    ),
    payment_late=Reserved(
        "Deine Zahlung von {amount} kam, als dein Platz nicht mehr reserviert war.",
        "Deine Zahlung von {amount} kam, als deine Bestellung nicht mehr reserviert war.",
    ),
    payment_missed=Reserved(
        "Es ist keine Zahlung angekommen, dein Platz ist nicht mehr reserviert.",
        "Es ist keine Zahlung angekommen, deine Bestellung ist nicht mehr reserviert.",
    ),
    payment_refused=Reserved(
        "Deine Zahlung konnte nicht eingezogen werden, du bist nicht mehr dabei.",
        "Deine Zahlung konnte nicht eingezogen werden, deine Bestellung wurde storniert.",
    ),
    other_groups="Es gibt andere Gruppen, bei denen du mitmachen kannst.",
)

_SPANISH: Final = NoticeWording(
    joined=Forms("Se ha unido una persona más.", "Se han unido {count} personas más."),
    price_dropped="El precio ha bajado: ahora {price} por unidad.",
    lowest="Es el precio más bajo.",
    places=Forms("Queda una sola plaza.", "Solo quedan {count} plazas."),
    one_hour_left="Queda una hora.",
    succeeded="¡Tu grupo lo ha conseguido!",
    you_pay=Forms("Pagas {pays} en vez de {alone}.", "Pagas {pays}: {count} unidades a {price} cada una."),
    failed="Tu grupo no se completó a tiempo.",
    cancelled="Tu grupo se canceló.",
    money_is_back="Ya tienes tu dinero de vuelta.",
    money_comes_back="Tu dinero está en camino de vuelta.",
    nothing_to_pay="No pagas nada.",
    payment_needed=Reserved(
        "Tu plaza está reservada unos minutos: paga {amount} para entrar.",
        "Tu pedido está reservado unos minutos: paga {amount} para completarlo.",
    ),
    payment_late=Reserved(
        "Tu pago de {amount} llegó cuando tu plaza ya no estaba reservada.",
        "Tu pago de {amount} llegó cuando tu pedido ya no estaba reservado.",
    ),
    payment_missed=Reserved(
        "No llegó ningún pago, así que tu plaza ya no está reservada.",
        "No llegó ningún pago, así que tu pedido ya no está reservado.",
    ),
    payment_refused=Reserved(
        "No se pudo cobrar tu pago, así que ya no estás en el grupo.",
        "No se pudo cobrar tu pago, así que tu pedido se canceló.",
    ),
    other_groups="Hay otros grupos a los que unirte.",
)

NOTICE_WORDINGS: Final = by_language(en=_ENGLISH, zh=_CHINESE, de=_GERMAN, es=_SPANISH)

"""The few words on a picture of a group: short, because nobody reads a picture twice."""

from dataclasses import dataclass
from typing import Final

from domain.groupbuy.group import GroupStatus
from domain.sharing.language import by_language
from domain.sharing.saying import Forms, for_all


@dataclass(frozen=True, slots=True)
class NeededForms(Forms):
    """`many` is for a large number that is not told exactly."""

    many: str


@dataclass(frozen=True, slots=True)
class PictureWords:
    """What a picture says in a language; `{count}` is a count, `{price}` an amount."""

    each: str
    alone: str
    people: Forms
    needed: NeededForms
    needed_to_tip: NeededForms
    to_be_paid: str
    places: Forms
    no_place: str
    sold_out: str
    at_lowest: str
    succeeded: str
    failed: str
    cancelled: str
    nobody_paid: str
    slogan: str
    scan_to_join: str
    scan_to_open: str

    def fate(self, status: GroupStatus, price: str) -> str:
        """What became of a closed group."""
        match status:
            case GroupStatus.SUCCEEDED:
                return self.succeeded.format(price=price)
            case GroupStatus.FAILED:
                return self.failed
            case _:
                return self.cancelled


PICTURE_WORDS: Final = by_language(
    en=PictureWords(
        each="each",
        alone="alone",
        people=Forms("{count} person", "{count} people"),
        needed=NeededForms("1 more → {price} each", "{count} more → {price} each", "{count}+ more → {price} each"),
        needed_to_tip=NeededForms(
            "1 more and it's a deal", "{count} more and it's a deal", "{count}+ more to make it a deal"
        ),
        to_be_paid="{price} each once all have paid",
        places=Forms("Last place", "{count} places left"),
        no_place="No place free",
        sold_out="Sold out for now",
        at_lowest="Lowest price reached",
        succeeded="Done: everyone pays {price}",
        failed="Not enough people came",
        cancelled="This group was cancelled",
        nobody_paid="Nobody paid anything",
        slogan="Buy together, pay less",
        scan_to_join="Scan to join",
        scan_to_open="Scan to open your own",
    ),
    zh=PictureWords(
        each="每件",
        alone="单买价",
        people=for_all("{count}人"),
        needed=NeededForms("再来1人 → 每件{price}", "再来{count}人 → 每件{price}", "再来{count}人以上 → 每件{price}"),
        needed_to_tip=NeededForms("再来1人即可成团", "再来{count}人即可成团", "再来{count}人以上即可成团"),
        to_be_paid="全部付款后 → 每件{price}",
        places=Forms("仅剩1个名额", "仅剩{count}个名额"),
        no_place="暂无名额",
        sold_out="暂时售罄",
        at_lowest="已达最低价",
        succeeded="拼团成功 · 每件{price}",
        failed="人数不足 · 未能成团",
        cancelled="拼团已取消",
        nobody_paid="未收取任何费用",
        slogan="一起买更便宜",
        scan_to_join="扫码参团",
        scan_to_open="扫码自己开团",
    ),
    de=PictureWords(
        each="pro Stück",
        alone="allein",
        people=Forms("{count} Person", "{count} Personen"),
        needed=NeededForms("Noch 1 → je {price}", "Noch {count} → je {price}", "Noch über {count} → je {price}"),
        needed_to_tip=NeededForms(
            "Noch 1, dann gilt der Preis", "Noch {count}, dann gilt der Preis", "Noch über {count} fehlen"
        ),
        to_be_paid="Sind alle bezahlt → je {price}",
        places=Forms("Letzter Platz", "Noch {count} Plätze frei"),
        no_place="Kein Platz frei",
        sold_out="Zurzeit ausverkauft",
        at_lowest="Niedrigster Preis erreicht",
        succeeded="Geschafft: alle zahlen {price}",
        failed="Es kamen nicht genug zusammen",
        cancelled="Diese Gruppe wurde abgesagt",
        nobody_paid="Niemand hat etwas bezahlt",
        slogan="Zusammen kaufen, weniger zahlen",
        scan_to_join="Scannen und mitmachen",
        scan_to_open="Scannen und selbst starten",
    ),
    es=PictureWords(
        each="por unidad",
        alone="individual",
        people=Forms("{count} persona", "{count} personas"),
        needed=NeededForms(
            "Falta 1 → {price} cada uno", "Faltan {count} → {price} cada uno", "Faltan más de {count} → {price}"
        ),
        needed_to_tip=NeededForms(
            "Falta 1 para lograrlo", "Faltan {count} para lograrlo", "Faltan más de {count} para lograrlo"
        ),
        to_be_paid="Al pagar todos → {price} cada uno",
        places=Forms("Última plaza", "Quedan {count} plazas"),
        no_place="Sin plazas libres",
        sold_out="Agotado por ahora",
        at_lowest="Ya al precio más bajo",
        succeeded="Conseguido: todos pagan {price}",
        failed="No se juntó suficiente gente",
        cancelled="Este grupo se canceló",
        nobody_paid="Nadie ha pagado nada",
        slogan="Comprar juntos sale mejor",
        scan_to_join="Escanea y únete",
        scan_to_open="Escanea y abre el tuyo",
    ),
)

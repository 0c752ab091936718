"""The parts that card and poster are put together from: title, price, ladder, what matters now."""

from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from infra.cards.canvas import Box, disc, fill, place, place_letter, tick
from infra.cards.lettering import Style, clean, fitted, shortened, width_of, wrapped, write
from infra.cards.picture import Mood, Picture, Rung

PAPER: Final = "#ffffff"
INK: Final = "#1d1b20"
MUTED: Final = "#6f6a75"
LINE: Final = "#e6e1e8"

_BOLD, _MEDIUM, _PLAIN = 750, 550, 450


class Tone(NamedTuple):
    """The colours of a mood: of what stands out, and of what lies softly behind."""

    strong: str
    soft: str


TONES: Final = {
    Mood.OPEN: Tone("#e2382a", "#fdece9"),
    Mood.GOOD: Tone("#0b7f52", "#e6f5ee"),
    Mood.OVER: Tone("#6f6a75", "#f1eff2"),
}


class Sheet:
    """A picture under way: what is drawn on, how large everything is, and the column that text stands in."""

    def __init__(self, size: tuple[int, int], picture: Picture, scale: float, left: int, right: int) -> None:
        self.image = Image.new("RGB", size, PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.picture = picture
        self.tone = TONES[picture.mood]
        self.left, self.right = left, right
        self._scale = scale

    @property
    def width(self) -> int:
        return self.right - self.left

    def px(self, length: float) -> int:
        """A length of the card, as long as it is here."""
        return round(length * self._scale)

    def style(self, size: float, weight: int, colour: str = INK) -> Style:
        return Style(self.px(size), weight, colour)


def panel(sheet: Sheet, box: Box, product: Image.Image | None) -> None:
    """The product, or the title's first character."""
    if product is None:
        place_letter(sheet.image, box, sheet.picture.title)
    else:
        place(sheet.image, box, product)


def eyebrow(sheet: Sheet, base: int) -> None:
    """The line above the title: who sells, or what this is about."""
    text = clean(sheet.picture.merchant) or clean(sheet.picture.slogan)
    style = sheet.style(24, _MEDIUM, MUTED)
    write(sheet.draw, (sheet.left, base), shortened(text, style, sheet.width), style)


def title(sheet: Sheet, top: int) -> int:
    """The title in two large lines or three smaller ones; answers where it ends."""
    text = clean(sheet.picture.title)
    style, lines_max = sheet.style(46, _BOLD), 2
    lines = wrapped(text, style, sheet.width, lines_max + 1)
    if len(lines) > lines_max:
        style = sheet.style(39, _BOLD)
        lines = wrapped(text, style, sheet.width, lines_max + 1)
    step = round(style.size * 1.24)
    for number, line in enumerate(lines):
        write(sheet.draw, (sheet.left, top + number * step + style.size), line, style)
    return top + len(lines) * step


def price(sheet: Sheet, base: int) -> None:
    """What one unit costs, large, and beside it what it costs alone, struck through."""
    shown = sheet.picture
    text, style = fitted(clean(shown.price), sheet.style(88, 800, sheet.tone.strong), sheet.width * 0.62, sheet.px(30))
    write(sheet.draw, (sheet.left, base), text, style)
    left = sheet.left + round(width_of(text, style)) + sheet.px(20)
    label = sheet.style(24, _MEDIUM, MUTED)
    write(sheet.draw, (left, base), shortened(clean(shown.price_label), label, sheet.right - left), label)
    _alone(sheet, left, base - sheet.px(38))


def _alone(sheet: Sheet, left: int, base: int) -> None:
    style = sheet.style(32, _MEDIUM, MUTED)
    amount, style = fitted(clean(sheet.picture.alone), style, sheet.right - left, sheet.px(18))
    write(sheet.draw, (left, base), amount, style)
    end = left + width_of(amount, style)
    height = base - round(style.size * 0.31)
    sheet.draw.line((left - 3, height, end + 3, height), fill=MUTED, width=max(sheet.px(3), 2))
    note = sheet.style(24, _MEDIUM, MUTED)
    text = clean(sheet.picture.alone_label)
    if end + sheet.px(14) + width_of(text, note) <= sheet.right:
        write(sheet.draw, (end + sheet.px(14), base), text, note)


def ladder(sheet: Sheet, height: int) -> None:
    """The rungs on a line that is filled as far as the group has come; nothing where there are none."""
    rungs = sheet.picture.rungs
    if not rungs:
        return
    places = _places(sheet, len(rungs))
    _rail(sheet, height, sheet.left, sheet.right, LINE)
    climbed = _climbed_to(sheet, places)
    if climbed > sheet.left:
        _rail(sheet, height, sheet.left, climbed, sheet.tone.strong)
    for rung, x in zip(rungs, places, strict=True):
        _knot(sheet, rung, x, height)
    _labels(sheet, places, height + sheet.px(52), [rung.price for rung in rungs], sheet.style(27, _BOLD))
    _labels(sheet, places, height + sheet.px(82), [rung.people for rung in rungs], sheet.style(22, _PLAIN, MUTED))


def _places(sheet: Sheet, number: int) -> list[int]:
    step = sheet.width / number
    return [round(sheet.left + step * (at + 0.5)) for at in range(number)]


def _climbed_to(sheet: Sheet, places: list[int]) -> int:
    reached = sum(rung.is_reached for rung in sheet.picture.rungs)
    if reached == len(places):
        return sheet.right
    begin = places[reached - 1] if reached else sheet.left
    return round(begin + (places[reached] - begin) * sheet.picture.climbed)


def _rail(sheet: Sheet, height: int, left: int, right: int, colour: str) -> None:
    half = sheet.px(5)
    fill(sheet.image, Box(left, height - half, max(right, left + 2 * half), height + half), half, colour)


def _knot(sheet: Sheet, rung: Rung, x: int, height: int) -> None:
    """Where a rung is on the line."""
    radius = sheet.px(15)
    disc(sheet.image, (x, height), radius + sheet.px(4), PAPER)
    disc(sheet.image, (x, height), radius, sheet.tone.strong if rung.is_reached else LINE)
    if rung.is_reached:
        tick(sheet.image, (x, height), radius, PAPER)
    else:
        disc(sheet.image, (x, height), radius - sheet.px(4), PAPER)


def _labels(sheet: Sheet, places: list[int], base: int, texts: list[str], style: Style) -> None:
    """A line of texts under the rungs, all as large as the widest may be; what is not reached yet in grey."""
    room = sheet.width / len(places) - sheet.px(12)
    texts = [clean(text) for text in texts]
    size = min(fitted(text, style, room, sheet.px(13))[1].size for text in texts)
    for x, text, rung in zip(places, texts, sheet.picture.rungs, strict=True):
        shown = style._replace(size=size, colour=style.colour if rung.is_reached else MUTED)
        write(sheet.draw, (x, base), shortened(text, shown, room), shown, "middle")


def headline(sheet: Sheet, top: int) -> None:
    """What matters most now in a pill, and beside it what else there is to say."""
    height, gap, padding = sheet.px(70), sheet.px(22), sheet.px(30)
    aside, note = fitted(
        clean(sheet.picture.aside), sheet.style(25, 650, sheet.tone.strong), sheet.width * 0.38, sheet.px(17)
    )
    taken = round(width_of(aside, note)) + gap if aside else 0
    room = sheet.width - taken - 2 * padding
    text, style = fitted(clean(sheet.picture.headline), sheet.style(31, 700, PAPER), room, sheet.px(19))
    pill = Box(sheet.left, top, sheet.left + round(width_of(text, style)) + 2 * padding, top + height)
    fill(sheet.image, pill, height // 2, sheet.tone.strong)
    middle = top + height // 2
    write(sheet.draw, (sheet.left + padding, middle + round(style.size * 0.36)), text, style)
    write(sheet.draw, (pill.right + gap, middle + round(note.size * 0.36)), aside, note)

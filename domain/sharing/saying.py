"""How things are said in a language: the sentence that fits a count, and sentences one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.sharing.amounts import count_text
from domain.sharing.language import Language


@dataclass(frozen=True, slots=True)
class Forms:
    """A sentence for one and for any other number, none included; `{count}` is where the number stands."""

    one: str
    other: str

    def of(self, count: int) -> str:
        return self.one if count == 1 else self.other

    def said(self, count: int, language: Language, **values: str) -> str:
        """The sentence for this count, with it and other values filled in."""
        return self.of(count).format(count=count_text(count, language), **values)


def for_all(sentence: str) -> Forms:
    """One sentence for all numbers, as Chinese has it."""
    return Forms(sentence, sentence)


def in_a_row(sentences: Iterable[str | None], language: Language) -> str:
    """Sentences one after the other, those left out that say nothing; between Chinese ones there is no blank."""
    return ("" if language is Language.ZH else " ").join(filter(None, sentences))

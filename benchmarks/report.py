"""The table, on the terminal and in docs/benchmarks.md."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `make bench` -->"
END = "<!-- end of figures -->"
_COLUMNS = ("what", "at least", "aim", "measured", "", "seen", "beside it")


def print_table(figures: Sequence[Figure]) -> None:
    """For the terminal: the judged figures in a table, what was seen below it."""
    table = Table("what", "at least", "aim", "measured", "", show_lines=True)
    for figure in figures:
        table.add_row(*_row(figure)[:5])
    console = Console(highlight=False)
    console.print(table)
    for figure in figures:
        _, _, _, _, _, seen, beside = _row(figure)
        console.print(f"{figure.what}:\n  {seen}" + (f"\n  beside {beside}" if beside else ""), soft_wrap=True)


def write_page(figures: Sequence[Figure], machine: Sequence[str]) -> None:
    """Replace the figures in the page; everything people wrote around them stays."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_row(figure) for figure in figures)]
    lines = [*(f"- {line}" for line in machine), "", *(f"| {' | '.join(row)} |" for row in rows)]
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


def _row(figure: Figure) -> tuple[str, ...]:
    wanted = figure.wanted
    return (
        figure.what,
        wanted.form.format(wanted.at_least),
        wanted.form.format(wanted.aim),
        figure.shown_value,
        figure.verdict,
        "; ".join((figure.measured, *figure.notes)),
        figure.ceiling,
    )

"""The README's table of settings, made from the settings themselves: `python -m infra.settings_table` prints it."""

import sys

from infra.settings import variables


def settings_table() -> str:
    """One row per environment variable, in Markdown."""
    rows = [
        f"| `{variable.name}` | {variable.meaning} | {variable.default_shown} | {variable.reader.accepts} |"
        for variable in variables()
    ]
    return "\n".join(["| variable | what | default | accepts |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    sys.stdout.write(settings_table() + "\n")

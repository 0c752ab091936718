"""The OpenAPI document as one page for people: no script, no font, nothing fetched from anywhere."""

import json
from html import escape
from typing import Final

from api.contract.parts import Json

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --accent: #b3261e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; margin: .5rem 0; }
summary { cursor: pointer; } summary code { font-weight: 600; }
.method { display: inline-block; min-width: 4.2rem; color: var(--accent); }
.quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
"""


def build_page(document: Json) -> str:
    """The whole page."""
    info = document["info"]
    sections = "".join(_section(document, tag) for tag in document["tags"])
    schemas = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_pre(schema)}</details>'
        for name, schema in document["components"]["schemas"].items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API <span class=quiet>{escape(info['version'])}</span></h1>"
        f"<p>{_text(info['description'])}</p>"
        '<p>The same for machines: <a href="/schema/openapi.json">openapi.json</a></p>'
        f"{sections}<h2>Shapes</h2>{schemas}</body></html>"
    )


def _section(document: Json, tag: Json) -> str:
    operations = "".join(
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    return f"<h2>{escape(tag['name'].capitalize())}</h2><p class=quiet>{escape(tag['description'])}</p>{operations}"


def _operation(document: Json, method: str, path: str, operation: Json) -> str:
    body = operation.get("requestBody")
    sent = body["content"]["application/json"] if body else None
    return (
        f"<details><summary><code><span class=method>{method.upper()}</span> {escape(path)}</code> "
        f"{escape(operation['summary'])}</summary><p>{_text(operation['description'])}</p>"
        f"{_parameters(document, operation['parameters'])}"
        f"{f'<h4>Body</h4>{_shape(sent)}' if sent else ''}"
        f"<h4>Answers</h4><table>{''.join(_answer(*item) for item in operation['responses'].items())}</table></details>"
    )


def _parameters(document: Json, references: list[Json]) -> str:
    known = document["components"]["parameters"]
    rows = [known[reference["$ref"].rpartition("/")[2]] for reference in references]
    if not rows:
        return ""
    cells = "".join(
        f"<tr><td><code>{escape(row['name'])}</code></td><td class=quiet>{escape(row['in'])}</td>"
        f"<td>{_text(row['description'])}</td></tr>"
        for row in rows
    )
    return f"<h4>Parameters</h4><table>{cells}</table>"


def _answer(status: str, answer: Json) -> str:
    content: Json = next(iter(answer.get("content", {}).values()), {})
    shown = _shape(content) if "example" in content else ""
    return f"<tr><td><code>{status}</code></td><td>{_text(answer['description'])}{shown}</td></tr>"


def _shape(content: Json) -> str:
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    link = f' <a href="#{escape(name)}"><code>{escape(name)}</code></a>' if name else ""
    return f"{link}{_pre(content['example'])}"


def _pre(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _text(text: str) -> str:
    """Prose with `code` and paragraphs."""
    parts = escape(text).split("`")
    marked = "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
    return marked.replace("\n\n", "<br>")

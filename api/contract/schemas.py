"""JSON Schemas of the shapes the API takes and gives, made from the very types that read and write them."""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from api.contract.parts import Json

Schemas = Mapping[Any, Json]


def schemas_of(shapes: Sequence[Any]) -> tuple[Schemas, Json]:
    """A schema for each shape, and the named ones they refer to."""
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for component in components.values():
        _finish(component)
    return dict(zip(shapes, schemas, strict=True)), components


def _finish(component: Json) -> None:
    """What the library leaves out: that names ending in `_at` are times, and the indentation of docstrings."""
    if "description" in component:
        component["description"] = cleandoc(component["description"])
    for name, schema in component.get("properties", {}).items():
        if name.endswith("_at"):
            for choice in schema.get("anyOf", [schema]):
                if choice.get("type") == "string":
                    choice["format"] = "date-time"

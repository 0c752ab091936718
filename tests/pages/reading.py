"""A page as browsers read it: each error of its HTML, its elements, and what its head says."""

import hashlib
import json
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

BY_SCRIPT_ALONE = re.compile(r"on[a-z]+")


class Read:
    """A page, read."""

    def __init__(self, html: str) -> None:
        parser = HTMLParser(namespace_html_elements=False)
        self.root: Element = parser.parse(html, full_tree=False)
        self.errors = [(html[:2_000].splitlines()[0], *error) for error in parser.errors]

    @classmethod
    def of_part(cls, part: str) -> "Read":
        """A part of a page, in a page of its own."""
        return cls(f"<!doctype html><html lang=en><head><title>x</title></head><body><div>{part}</div></body></html>")

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a kind with these attributes."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [one for one in self.root.iter(tag) if all(one.get(name) == value for name, value in wanted.items())]

    def one(self, tag: str, **attributes: str) -> Element:
        [found] = self.all(tag, **attributes)
        return found

    @property
    def metas(self) -> dict[str, list[str]]:
        """What each `meta` says, by its name or property."""
        said = defaultdict(list)
        for meta in self.all("meta"):
            name = meta.get("property") or meta.get("name")
            if name:
                said[name].append(meta.get("content", ""))
        return said

    @property
    def json_ld(self) -> Any:
        return json.loads(self.one("script", type="application/ld+json").text or "")

    @property
    def style_source(self) -> str:
        """What a policy must say to allow the page's styles."""
        digest = hashlib.sha256((self.one("style").text or "").encode()).digest()
        return f"'sha256-{b64encode(digest).decode()}'"

    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """What a page is made of, whatever is written in it: its elements and their attributes, in order."""
        return [(str(element.tag), tuple(sorted(element.keys()))) for element in self.root.iter()]

    def text(self) -> str:
        """All that is written."""
        return "".join(self.root.itertext())

    def faults(self) -> list[str]:
        """What is wrong with the page beyond its grammar."""
        return [*self._of_ids(), *self._of_pictures(), *self._of_policy()]

    def _of_ids(self) -> Iterator[str]:
        ids = [element.get("id", "") for element in self.root.iter() if element.get("id")]
        yield from (f"id {one} is there twice" for one in set(ids) if ids.count(one) > 1)
        for element in self.root.iter():
            for name in ("aria-labelledby", "for", "data-copies"):
                named = element.get(name)
                if named is not None and named not in ids:
                    yield f"{name}={named} leads nowhere"
            link = element.get("href", "")
            if element.tag == "a" and link.startswith("#") and link[1:] not in ids:
                yield f"{link} leads nowhere"

    def _of_pictures(self) -> Iterator[str]:
        for picture in self.all("img"):
            missing = {"alt", "src", "width", "height"} - set(picture.attrib)
            yield from (f"a picture without {name}" for name in missing)

    def _of_policy(self) -> Iterator[str]:
        """What the policy of the pages would refuse."""
        for element in self.root.iter():
            yield from (f"{name} on {element.tag}" for name in element.attrib if BY_SCRIPT_ALONE.fullmatch(name))
            if "style" in element.attrib:
                yield f"a style on {element.tag}"
        for script in self.all("script"):
            if script.get("type") != "application/ld+json" and not script.get("src", "").startswith("/static/"):
                yield "a script that stands in the page"

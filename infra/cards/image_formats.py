"""How files of the images we take begin."""

from typing import Final

BEGINNINGS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")
"""JPEG, PNG, GIF, WebP: formats of pixels. SVG is a program."""

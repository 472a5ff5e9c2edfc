"""Files as people send them, small and made on the spot."""

import io
from typing import Any

import pikepdf
from django.core.files.base import ContentFile
from PIL import Image

from marketplace.files import Checked, Turned, check
from marketplace.policy import FileType

ALL = tuple(FileType)


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **wishes: Any) -> bytes:
    """A picture with something in it: it is half one colour, half another."""
    image = Image.new(mode, size)
    light = tuple(200 for _ in image.getbands())
    image.paste(light if len(light) > 1 else light[0], (0, 0, size[0] // 2, size[1]))
    made = io.BytesIO()
    image.save(made, kind, **wishes)
    return made.getvalue()


def pdf(pages: int = 1, **wishes: Any) -> bytes:
    """A PDF of empty pages."""
    made, document = io.BytesIO(), pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    document.save(made, **wishes)
    return made.getvalue()


def upload(name: str, content: bytes) -> "ContentFile[bytes]":
    return ContentFile(content, name)


def gate(
    *files: tuple[str, bytes], types: tuple[FileType, ...] = ALL, most_mb: int = 8, most_files: int = 5
) -> tuple[list[Checked], list[Turned]]:
    """What the gate says of files, by name and content."""
    return check([upload(*one) for one in files], types=types, most_mb=most_mb, most_files=most_files)


def checked(name: str = "foto.jpg", content: bytes = b"") -> Checked:
    """A file that has passed the gate."""
    [one], turned = gate((name, content or picture()))
    assert not turned
    return one

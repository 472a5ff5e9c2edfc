"""Look into one file and make it anew: a program of its own, with bounds of its own, and nothing of the site in it.

What strangers send is decoded here and nowhere else, by a child without secrets, database or settings. A picture is
decoded and written again as bare pixels, a text as UTF-8; a PDF is read through and left as it is (a signature on it
stays good). `marketplace/files.py` is who calls; ADR 14 says why.

    python -I marketplace/remaking.py KIND FD < file > made    # the exit code is 0, or one of `Turn`

FD is where a small picture of a picture goes.
"""

import os
import re
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose
    from PIL.ImageFile import ImageFile

MEMORY = 512 * 1024**2
"""Bytes of address space that a look may take: what it maps, most of which it never touches."""

CPU_S = 12
LARGEST_OUTPUT = 96 * 1024**2

MOST_PIXELS = 16_000_000
"""Pixels of a picture that are kept; of a JPEG four times as many come in, and are halved while they are decoded."""

MOST_PROGRESSIVE = 2 * MOST_PIXELS
"""A JPEG that comes in several passes is held whole while it is decoded."""

MOST_WEBP = 12_000_000
"""A WebP takes more than twenty bytes a pixel while it is written."""

MOST_PASSES = 40
MOST_OBJECTS = 100_000

ACTIVE = re.compile(
    rb"/(?:JavaScript|JS|Launch|SubmitForm|ImportData|GoToE|Rendition|RichMedia\w*|EmbeddedFiles?|XFA)"
    rb"(?=[\s/<>\[\]()]|$)"
)
"""The names of a PDF that do something, or hold other files."""

PREVIEW = (480, 480)
"""The most pixels each way of the small picture that pages show; it is WebP, whatever the picture is."""

MARKUP = re.compile(r"\s*(?:<!|<\?|<[A-Za-z]+[\s>/]|#!)")
"""How a page, a drawing or a script begins, and no letter to a shop does."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


class Turn(IntEnum):
    """Why a file is not taken, as the exit code says it."""

    BROKEN = 20
    PIXELS = 21
    MOVES = 22
    LOCKED = 23
    ACTIVE = 24
    TWO_THINGS = 25
    TOO_HARD = 26
    MARKUP = 27


class Turned(Exception):
    """The file is not taken."""

    def __init__(self, why: Turn) -> None:
        super().__init__(why.name)
        self.why = why


def webp_size(head: bytes) -> tuple[int, int]:
    """Width and height out of the first 30 bytes: a decoder makes room for them as soon as it is opened."""
    form = head[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if form == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    return width & 0x3FFF, height & 0x3FFF


def _opened(kind: str, file: BinaryIO) -> "ImageFile":
    """The picture by the reader of its kind, whatever it says it is; nothing of it is decoded yet."""
    if kind == "jpeg":
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile(file)
    if kind == "png":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(file)
    if kind == "gif":
        from PIL.GifImagePlugin import GifImageFile

        return GifImageFile(file)
    from PIL.WebPImagePlugin import WebPImageFile

    head = file.read(30)
    file.seek(0)
    _fits(webp_size(head), MOST_WEBP)
    return WebPImageFile(file)


def _fits(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise Turned(Turn.PIXELS)


def _passes(file: BinaryIO) -> int:
    """How many times a JPEG goes over its pixels: each takes as long as a picture, and needs few bytes."""
    file.seek(0)
    found, last = 0, b""
    while chunk := file.read(1 << 20):
        found += (last + chunk).count(b"\xff\xda")
        last = chunk[-1:]
    file.seek(0)
    return found


def picture(kind: str, file: BinaryIO, made: BinaryIO, small: BinaryIO) -> None:
    """Decode a still picture, turn it upright, and write its pixels and nothing else; and a small one."""
    if kind == "jpeg" and _passes(file) > MOST_PASSES:
        raise Turned(Turn.TOO_HARD)
    image = _opened(kind, file)
    if kind == "jpeg":
        _fits(image.size, MOST_PROGRESSIVE if image.info.get("progressive") else 4 * MOST_PIXELS)
        if image.size[0] * image.size[1] > MOST_PIXELS:
            image.draft(None, (image.size[0] // 2, image.size[1] // 2))
    else:
        _fits(image.size, MOST_PIXELS)
        if getattr(image, "is_animated", False):
            raise Turned(Turn.MOVES)
    image.load()
    upright = _upright(image)
    _write(kind, upright, made)
    if upright.mode not in ("L", "RGB", "RGBA"):
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    upright.thumbnail(PREVIEW)
    upright.save(small, "WEBP", quality=75, method=2)


def _upright(image: "ImageFile") -> "Image":
    """The picture as it is to be seen, and nothing that was said about it."""
    turn = _turn(image)
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    return image if turn is None else image.transpose(turn)


def _write(kind: str, upright: "Image", made: BinaryIO) -> None:
    if kind == "jpeg":
        if upright.mode not in ("L", "RGB"):
            upright = upright.convert("RGB")
        upright.save(made, "JPEG", quality=88)
    elif kind == "webp":
        upright.save(made, "WEBP", quality=88, method=2)
    elif kind == "png":
        upright.save(made, "PNG", compress_level=6)
    else:
        upright.save(made, "GIF")


def _turn(image: "ImageFile") -> "Transpose | None":
    """How the picture is to be turned: it is the one thing that its metadata is read for, and it may be nonsense."""
    from PIL.Image import Transpose

    try:
        told = image.getexif().get(0x0112)
    except Exception:  # whatever is wrong with the metadata, the picture is not
        return None
    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(told or 0)


def pdf(file: BinaryIO, made: BinaryIO) -> None:
    """Read a PDF through: it is one from its first byte to its last, it opens, and nothing in it acts."""
    import pikepdf

    _is_only_a_pdf(file)
    try:
        with pikepdf.open(file) as read:
            if len(read.objects) > MOST_OBJECTS:
                raise Turned(Turn.TOO_HARD)
            for one in read.objects:
                told = one.stream_dict if isinstance(one, pikepdf.Stream) else one
                if ACTIVE.search(told.unparse(resolved=True)):
                    raise Turned(Turn.ACTIVE)
            if not len(read.pages):
                raise Turned(Turn.BROKEN)
    except pikepdf.PasswordError:
        raise Turned(Turn.LOCKED) from None
    _copy(file, made)


def _is_only_a_pdf(file: BinaryIO) -> None:
    """Nothing stands before it, no other file behind it: no archive, no page."""
    head = file.read(2048).lower()
    end = file.seek(0, 2)
    file.seek(max(0, end - 66_000))
    tail = file.read()
    file.seek(0)
    closed, _, rest = tail.rpartition(b"%%EOF")
    if not closed:
        raise Turned(Turn.BROKEN)
    if not head.startswith(b"%pdf-"):
        raise Turned(Turn.TWO_THINGS)
    if rest.strip(b"\x00\t\n\f\r ") or b"PK\x05\x06" in tail:
        raise Turned(Turn.TWO_THINGS)
    if re.search(rb"<!doctype|<(?:html|head|body|script|iframe|svg|title|h1|img)[\s>/]", head):
        raise Turned(Turn.TWO_THINGS)


def text(file: BinaryIO, made: BinaryIO) -> None:
    """Read a text in the encoding that it is in, and write it as UTF-8."""
    raw = file.read()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        said = raw.decode("utf-16")
    else:
        try:
            said = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            said = raw.decode("cp1252")
    if _CONTROLS.search(said):
        raise Turned(Turn.BROKEN)
    if MARKUP.match(said):
        raise Turned(Turn.MARKUP)
    made.write(said.encode("utf-8"))


def _copy(file: BinaryIO, made: BinaryIO) -> None:
    file.seek(0)
    while chunk := file.read(1 << 20):
        made.write(chunk)


def _bounded() -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, LARGEST_OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # a system that knows no such bound, or has a tighter one
            continue


def main(kind: str, small_fd: int) -> int:
    """Look into standard input, write standard output; whatever goes wrong is the file's fault."""
    _bounded()
    try:
        with os.fdopen(0, "rb") as file, os.fdopen(1, "wb") as made, os.fdopen(small_fd, "wb") as small:
            if kind == "pdf":
                pdf(file, made)
            elif kind == "text":
                text(file, made)
            else:
                picture(kind, file, made, small)
    except Turned as turned:
        return turned.why
    except MemoryError:
        return Turn.TOO_HARD
    except Exception:  # decoders raise what they like at what they did not expect
        return Turn.BROKEN
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1], int(sys.argv[2]))
    os._exit(code)  # nothing is left to be tidied up, least of all by what was decoded

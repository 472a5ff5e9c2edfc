"""The one gate that every file from outside passes: by what is in it, never by what it is called (MSG-13).

`check` answers the files that may be kept, made anew where that is possible, and those that are turned away, each with
the reason in words. It raises nothing whatever it is given: what goes wrong is the file's fault. Decoding happens in a
process of its own (`marketplace/remaking.py`), the virus scan at clamd where one is configured. ADR 14 says why.
"""

import hashlib
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace import remaking, scanner
from marketplace.file_names import safe_name
from marketplace.policy import FileType
from marketplace.policy_words import FILE_LABELS, listed
from marketplace.remaking import Turn

logger = logging.getLogger(__name__)

MB = 1024**2
CHUNK = 256 * 1024
LOOK_S = 30
"""How long a look into one file may take; the child has a bound of its own on what it computes."""

_LOOKS = threading.BoundedSemaphore(2)
"""How many files one process of the site looks into at a time: each look takes memory."""

_CHILD = Path(remaking.__file__)


class Why(models.TextChoices):
    """Why a file is turned away; the label is what people read."""

    NONE = "none", gettext_lazy("Aquí no se pueden enviar archivos.")
    TOO_MANY = "too_many", gettext_lazy("Son demasiados: van %(most)s como mucho.")
    TOO_BIG = "too_big", gettext_lazy("Pesa más de %(most)s MB.")
    TOGETHER = "together", gettext_lazy("Con los demás pesa demasiado: envíalo en otro mensaje.")
    EMPTY = "empty", gettext_lazy("Está vacío.")
    TYPE = "type", gettext_lazy("No es de un tipo que se admita: %(types)s.")
    HEIC = "heic", gettext_lazy("Es una foto HEIC: guárdala o expórtala como JPEG.")
    BROKEN = "broken", gettext_lazy("Está dañado o no es lo que dice ser.")
    PIXELS = "pixels", gettext_lazy("La imagen tiene demasiados píxeles: redúcela.")
    MOVES = "moves", gettext_lazy("Es una imagen animada: envía una fija.")
    LOCKED = "locked", gettext_lazy("Está protegido con contraseña.")
    ACTIVE = "active", gettext_lazy("Lleva dentro programas, formularios u otros archivos.")
    TWO_THINGS = "two_things", gettext_lazy("Lleva otra cosa escondida, además del PDF.")
    TOO_HARD = "too_hard", gettext_lazy("Es demasiado complicado para comprobarlo.")
    VIRUS = "virus", gettext_lazy("Tiene un virus (%(virus)s).")
    UNSCANNED = "unscanned", gettext_lazy("Ahora no se puede comprobar si tiene virus. Inténtalo más tarde.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file as it is kept: what a browser is told it is, and how its name may end."""

    content_type: str
    extensions: tuple[str, ...]
    is_picture: bool = True


KINDS: dict[FileType, Kind] = {
    FileType.JPEG: Kind("image/jpeg", (".jpg", ".jpeg")),
    FileType.PNG: Kind("image/png", (".png",)),
    FileType.WEBP: Kind("image/webp", (".webp",)),
    FileType.GIF: Kind("image/gif", (".gif",)),
    FileType.PDF: Kind("application/pdf", (".pdf",), is_picture=False),
    FileType.TEXT: Kind("text/plain", (".txt",), is_picture=False),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """The small picture of a picture, WebP, at 0; `width` and `height` are its pixels."""

    width: int
    height: int
    content: BinaryIO


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: `content` stands at 0, `size` and `sha256` are of it, `name` is safe to show.

    A picture has a small one for pages.
    """

    name: str
    kind: FileType
    content_type: str
    size: int
    sha256: str
    content: BinaryIO
    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """A file that is turned away: its name as it may be shown, and why, in the reader's language."""

    name: str
    why: str
    code: Why


class _Held(BufferedRandom):
    """A file without a name, gone when nobody holds it any more."""

    def __init__(self) -> None:
        super().__init__(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115

    def __del__(self) -> None:
        self.close()


class _Refused(Exception):
    def __init__(self, code: Why, **words: object) -> None:
        super().__init__(code.value)
        self.code, self.words = code, words


def check(
    uploads: Iterable["File[Any]"], *, types: Sequence[FileType], most_mb: int, most_files: int
) -> tuple[list[Checked], list[Turned]]:
    """Which of these files may be kept and which not; of too many, the first are looked into.

    `types`, `most_mb` (of one file) and `most_files` are the policy's. Raises nothing.
    """
    taken: list[Checked] = []
    turned: list[Turned] = []
    for n, upload in enumerate(uploads):
        try:
            if not most_files or not types:
                raise _Refused(Why.NONE)
            if n >= most_files:
                raise _Refused(Why.TOO_MANY, most=most_files)
            taken.append(_checked(upload, types, most_mb))
        except _Refused as refused:
            turned.append(_turned(upload, refused))
        except Exception:  # nothing that a stranger sends may become an error page
            logger.exception("a file could not be looked into")
            turned.append(_turned(upload, _Refused(Why.TOO_HARD)))
    return taken, turned


def _turned(upload: "File[Any]", refused: _Refused) -> Turned:
    said = str(upload.name or "")
    ending = Path(said[-40:]).suffix.lower()
    shown = safe_name(said, (ending if ending.isascii() and ending[1:].isalnum() else "",), _("archivo"))
    return Turned(shown, str(refused.code.label) % refused.words, refused.code)


def _checked(upload: "File[Any]", types: Sequence[FileType], most_mb: int) -> Checked:
    """Look into one file, cheapest first: how big, what it is, whether it has a virus, whether it can be read."""
    with _Held() as received:
        _receive(upload, received, most_mb)
        kind = kind_of(received)
        if kind is None or kind not in types:
            received.seek(4)
            if received.read(8) in _HEIC:
                raise _Refused(Why.HEIC)
            raise _Refused(Why.TYPE, types=listed([str(FILE_LABELS[one]) for one in types]))
        _scan(received)
        made, preview = _made(kind, received)
    told = KINDS[kind]
    name = safe_name(upload.name, told.extensions, _("archivo"))
    size, sha256 = _measured(made)
    return Checked(name, kind, told.content_type, size, sha256, made, preview)


def _receive(upload: "File[Any]", received: BinaryIO, most_mb: int) -> None:
    """Take a file in, as far as it may be long."""
    if (upload.size or 0) > most_mb * MB:
        raise _Refused(Why.TOO_BIG, most=most_mb)
    if getattr(upload, "cut", False):
        raise _Refused(Why.TOGETHER)
    upload.seek(0)
    size = 0
    while chunk := upload.read(CHUNK):
        size += len(chunk)
        if size > most_mb * MB:
            raise _Refused(Why.TOO_BIG, most=most_mb)
        received.write(chunk)
    if not size:
        raise _Refused(Why.EMPTY)
    received.seek(0)


_HEIC = {b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis")}


def kind_of(file: BinaryIO) -> FileType | None:
    """What a file is by how it begins; what begins like nothing known is a text if it has no NUL, else None.

    UTF-16 has many, and says at its start that it is that.
    """
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        return FileType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileType.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileType.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return FileType.GIF
    if b"%PDF-" in head[:1024]:  # a reader takes it for one, whatever stands before
        return FileType.PDF
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return FileType.TEXT
    return None if b"\x00" in head or _is_known_otherwise(head) else FileType.TEXT


def _is_known_otherwise(head: bytes) -> bool:
    """Archives and programs, and pages and drawings that are text: nobody means those when they send a text."""
    if head.startswith((b"PK", b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"{\\rtf")):
        return True
    return remaking.MARKUP.match(head.decode("latin-1").removeprefix("ï»¿")) is not None


def _scan(received: BinaryIO) -> None:
    """Ask the scanner about the file as it came, where there is one (MSG-13)."""
    if not settings.CLAMD_URL:
        return
    try:
        virus = scanner.virus_in(received, settings.CLAMD_URL)
    except scanner.NoAnswer as silence:
        logger.error("clamd did not answer: %s", silence)
        raise _Refused(Why.UNSCANNED) from None
    if virus:
        logger.warning("a file with a virus was turned away: %s", virus)
        raise _Refused(Why.VIRUS, virus=virus[:60])
    received.seek(0)


_WHY = {
    Turn.BROKEN: Why.BROKEN,
    Turn.PIXELS: Why.PIXELS,
    Turn.MOVES: Why.MOVES,
    Turn.LOCKED: Why.LOCKED,
    Turn.ACTIVE: Why.ACTIVE,
    Turn.TWO_THINGS: Why.TWO_THINGS,
    Turn.TOO_HARD: Why.TOO_HARD,
    Turn.MARKUP: Why.BROKEN,
}


def _made(kind: FileType, received: BinaryIO) -> tuple[BinaryIO, Preview | None]:
    """The file made anew, and the small picture of a picture."""
    made, small = _Held(), _Held()
    code = _looked_into(kind, received, made, small)
    if code in list(Turn):
        raise _Refused(_WHY[Turn(code)])
    if code:
        raise _Refused(Why.TOO_HARD)
    if KINDS[kind].is_picture:
        small.seek(0)
        width, height = remaking.webp_size(small.read(30))
        small.seek(0)
        return made, Preview(width, height, small)
    return made, None


def _looked_into(kind: FileType, received: BinaryIO, made: BinaryIO, small: BinaryIO) -> int:
    """Have a child that knows nothing but the file make it anew; answers how the child ended."""
    received.flush()
    told = [sys.executable, "-I", "-X", "utf8", str(_CHILD), kind.value, str(small.fileno())]
    with _LOOKS:
        try:
            return subprocess.run(
                told,
                stdin=received,
                stdout=made,
                stderr=subprocess.DEVNULL,
                pass_fds=[small.fileno()],
                env={},
                timeout=LOOK_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return Turn.TOO_HARD


def _measured(made: BinaryIO) -> tuple[int, str]:
    made.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := made.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    made.seek(0)
    return size, digest.hexdigest()

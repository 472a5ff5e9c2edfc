"""Files that bring baskets, plain or gzip, one line at a time; and the reader of JSON Lines (API-04).

A reader yields `Found` (the data of a basket, not yet checked against `schema`) or `Flawed` (what cannot
even be read, with the reason in the active language), each with the numbers of its lines. The reader of CSV
is in `rows`.
"""

import gzip
import io
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any, NamedTuple, cast

from django.utils.translation import gettext as _

from orders.intake.flaws import Loc, dotted

MOST_BYTES = 1_000_000
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says of one basket; `name` is what the file calls a field."""

    lines: tuple[int, ...]
    data: Any
    name: Callable[[Loc], str] = dotted


@dataclass(frozen=True, slots=True)
class Flawed:
    """Lines that cannot be read as a basket, and why; `commercial_id` as far as it could be made out."""

    lines: tuple[int, ...]
    commercial_id: str
    reason: str


class Unreadable(Exception):
    """The file as a whole cannot be read (on); the text says why, for people."""


class RawLine(NamedTuple):
    """A line of a file, without its end; one that is too long is cut there."""

    number: int
    raw: bytes
    too_long: bool


class Source:
    """The bytes of a file, as often as asked when `rereadable`; `-` is standard input, and bytes are themselves.

    Raises OSError when it cannot be opened, Unreadable where it breaks off.
    """

    def __init__(self, path: str | bytes, *, rereadable: bool = False) -> None:
        self._file: IO[bytes]
        if isinstance(path, bytes):
            self._file = cast("IO[bytes]", io.BufferedReader(io.BytesIO(path)))
        else:
            self._file = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115
        self._start = 0
        self.lines_read = 0
        if rereadable and not self._file.seekable():
            self._file = _spooled(self._file)
        if self._file.seekable():
            self._start = self._file.tell()
        self.size = self._file.seek(0, os.SEEK_END) - self._start if self._file.seekable() else None

    def close(self) -> None:
        if self._file is not sys.stdin.buffer:
            self._file.close()

    @property
    def position(self) -> int:
        """How many bytes of the file (as it lies there) have been read in this pass."""
        return self._file.tell() - self._start if self.size is not None else 0

    def lines(self) -> Iterator[RawLine]:
        """Every line from the start, its number from 1; none is held longer than it takes."""
        if self._file.seekable():
            self._file.seek(self._start)
        self.lines_read = 0
        stream: IO[bytes] = self._file
        if cast("io.BufferedReader", self._file).peek(2)[:2] == _GZIP:
            stream = cast("IO[bytes]", io.BufferedReader(gzip.GzipFile(fileobj=self._file), 1 << 16))
        try:
            yield from self._numbered(stream)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            told = _("El fichero gzip está dañado o cortado después de la línea {line}.")
            raise Unreadable(told.format(line=self.lines_read)) from error

    def _numbered(self, stream: IO[bytes]) -> Iterator[RawLine]:
        while raw := stream.readline(MOST_BYTES + 2):
            self.lines_read += 1
            if self.lines_read == 1:
                raw = raw.removeprefix(_BOM)
            whole = raw.endswith(b"\n")
            raw = raw.rstrip(b"\r\n")
            too_long = len(raw) > MOST_BYTES
            while not whole and (rest := stream.readline(MOST_BYTES)):
                whole, too_long = rest.endswith(b"\n"), True
            yield RawLine(self.lines_read, raw[:MOST_BYTES], too_long)


def _spooled(stream: IO[bytes]) -> IO[bytes]:
    """A pipe can be read once: what must be read twice is put aside on disk."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115
    while chunk := stream.read(1 << 16):
        spool.write(chunk)
    spool.seek(0)
    return spool


def json_lines(source: Source) -> Iterator[Found | Flawed]:
    """One basket a line, as an object of `BasketIn`; blank lines are skipped."""
    for line in source.lines():
        if not line.raw.strip():
            continue
        try:
            yield Found((line.number,), _object(line))
        except _NotReadable as error:
            yield Flawed((line.number,), "", str(error))


class _NotReadable(Exception):
    """A line that is not what its format asks for."""


def too_long_told() -> str:
    return _("la línea pasa de 1 MB")


def _object(line: RawLine) -> Any:
    if line.too_long:
        raise _NotReadable(too_long_told())
    try:
        text = line.raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _NotReadable(_("no es UTF-8 (byte {place})").format(place=error.start + 1)) from error
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        told = _("no es JSON (columna {column}: {what})").format(column=error.colno, what=error.msg)
        raise _NotReadable(told) from error
    except RecursionError as error:
        raise _NotReadable(_("el JSON está anidado sin medida")) from error


def _decimal(text: str) -> Decimal:
    """A number with a point, exactly as it is written; one beyond measure is refused before it costs time."""
    if len(text) > 40:
        raise _NotReadable(_("contiene un número sin medida"))
    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise _NotReadable(_("contiene un número sin medida")) from error


def _integer(text: str) -> int:
    if len(text) > 40:
        raise _NotReadable(_("contiene un número sin medida"))
    return int(text)


def _constant(text: str) -> Any:
    raise _NotReadable(_("«{word}» no es un número de JSON").format(word=text))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        again = next(name for place, name in enumerate(names) if name in names[:place])
        raise _NotReadable(_("el campo «{name}» está dos veces").format(name=again))
    return found

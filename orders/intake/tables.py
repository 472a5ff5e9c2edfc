"""Tables in CSV files: a header that names columns, and rows, each judged by itself.

A row is one line, so that a broken quote costs one row and every line number is true.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from orders.intake.files import RawLine, Source, Unreadable, too_long_told


class Row(NamedTuple):
    """A row of the file: its line number, its cells, and what is wrong with it as a row."""

    number: int
    cells: list[str]
    flaw: str


def data_lines(source: Source) -> Iterator[RawLine]:
    """The lines after the header that are not blank, nor a row of empty cells."""
    lines = (line for line in source.lines() if line.raw.strip())
    next(lines, None)
    return (line for line in lines if line.raw.strip(b' \t",;'))


def header(source: Source, known: Collection[str], needed: Sequence[str]) -> tuple[list[str], str]:
    """The columns of a file, in small letters, and what stands between them: commas or semicolons.

    Raises Unreadable when there is no header, or one that names what does not exist or lacks what is needed.
    """
    line = next((line for line in source.lines() if line.raw.strip()), None)
    if line is None:
        raise Unreadable(_("El fichero CSV está vacío: le falta la fila de cabecera."))
    text = _utf8(line)
    delimiter = ";" if text.count(";") > text.count(",") else ","
    columns = [name.strip().strip('"').strip().lower() for name in text.split(delimiter)]
    flaws = [
        (_("columnas que no existen: {names}"), [name for name in columns if name not in known]),
        (_("columnas que faltan: {names}"), [name for name in needed if name not in columns]),
        (_("columnas repetidas: {names}"), sorted({name for name in columns if columns.count(name) > 1})),
    ]
    told = [
        words.format(names=", ".join(name[:40] for name in names[:10])) for words, names in flaws if names
    ]
    if told:
        raise Unreadable(_("Cabecera del CSV: {flaws}.").format(flaws="; ".join(told)))
    return columns, delimiter


def _utf8(line: RawLine) -> str:
    """The text of the header. UTF-16, as some spreadsheets save it, is told by its null bytes. Raises Unreadable."""
    try:
        text = line.raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Unreadable(_("Cabecera del CSV: {flaws}.").format(flaws=_not_utf8()))
    return text


def _not_utf8() -> str:
    return _("no es UTF-8: guarda el fichero como «CSV UTF-8»")


def row(line: RawLine, header: Sequence[str], delimiter: str) -> Row:
    """The cells of a line, without the spaces around them; what is wrong with it is said, not raised."""
    if line.too_long:
        return Row(line.number, [], too_long_told())
    text = line.raw.decode("utf-8", "surrogateescape")
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return Row(line.number, [], _("no es una fila de CSV ({what})").format(what=error))
    flaw = ""
    if not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text):
        flaw = _not_utf8()
    elif len(cells) != len(header):
        told = _("tiene {cells} celdas y la cabecera {columns}")
        flaw = told.format(cells=len(cells), columns=len(header))
    return Row(line.number, [cell.strip() for cell in cells], flaw)

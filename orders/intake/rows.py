"""The reader of CSV: one article a row, the basket's columns repeated (API-04).

The file is read twice: the first pass finds the baskets whose rows stand apart, and only these are kept in
memory.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from orders.intake import tables
from orders.intake.files import Flawed, Found, RawLine, Source, Unreadable
from orders.intake.flaws import Loc, dotted
from orders.intake.schema import MOST_LINES
from orders.states import LineKind

_BITS = 1 << 27
_GOODS = str(LineKind.GOODS)

BASKET_COLUMNS: Mapping[str, Loc] = {
    "commercial_id": ("commercial_id",),
    "placed_at": ("placed_at",),
    "currency": ("currency",),
    "estimated_delivery": ("estimated_delivery",),
    "cash_on_delivery": ("cash_on_delivery",),
    "payment_method": ("payments", 0, "method"),
    "payment_amount": ("payments", 0, "amount"),
    "payment_card": ("payments", 0, "card"),
    "customer_external_id": ("customer", "external_id"),
    "customer_first_name": ("customer", "first_name"),
    "customer_last_name": ("customer", "last_name"),
    "customer_email": ("customer", "email"),
    "customer_locale": ("customer", "locale"),
    "customer_phone": ("customer", "phone"),
    "customer_wants_invoice": ("customer", "wants_invoice"),
    "street": ("shipping_address", "street"),
    "postal_code": ("shipping_address", "postal_code"),
    "city": ("shipping_address", "city"),
    "region": ("shipping_address", "region"),
    "country": ("shipping_address", "country"),
    "basket_shipping_price": ("shipping_price",),
}
LINE_COLUMNS: Mapping[str, str] = {
    "line_external_id": "external_id",
    "shop": "shop",
    "shop_name": "shop_name",
    "shop_city": "shop_city",
    "supplier": "supplier",
    "sku": "sku",
    "title": "title",
    "category": "category",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "shipping_price": "shipping_price",
    "ship_by": "ship_by",
    "kind": "kind",
    "access": "access",
}
NEEDED_COLUMNS = (
    "commercial_id",
    "placed_at",
    "currency",
    "customer_first_name",
    "street",
    "city",
    "country",
    "shop",
    "sku",
    "title",
    "unit_price",
)
_COLUMN_OF: Mapping[Loc, str] = {path: column for column, path in BASKET_COLUMNS.items()}
_LINE_COLUMN_OF: Mapping[str | int, str] = {path: column for column, path in LINE_COLUMNS.items()}


@dataclass(slots=True)
class _Group:
    """The rows of one basket; past the most that a basket may have only their numbers are kept."""

    commercial_id: str
    rows: list[tables.Row] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, row: tables.Row) -> None:
        self.numbers.append(row.number)
        if len(self.rows) <= MOST_LINES:
            self.rows.append(row)


class _Seen:
    """Which names were seen, in 16 MB whatever their number; now and then it takes a new one for a known."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, name: str) -> bool:
        """Note a name; whether it had been (or seems to have been) seen before."""
        mixed, before = hash(name), True
        for place in (mixed % _BITS, (mixed >> 29) % _BITS):
            index, bit = place >> 3, 1 << (place & 7)
            before = before and bool(self._bits[index] & bit)
            self._bits[index] |= bit
        return before


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the first pass found: baskets whose rows stand apart; those beside a row that names no basket."""

    apart: frozenset[str]
    doubted: Mapping[str, int]


def csv_rows(source: Source) -> Iterator[Found | Flawed]:
    """One article a row, the basket's columns repeated; a basket is the rows of one `commercial_id`.

    Raises Unreadable when the header is not there or names what does not exist.
    """
    header, delimiter = _header(source)
    survey = _survey(source, delimiter)
    group: _Group | None = None
    kept: dict[str, _Group] = {}
    for line in tables.data_lines(source):
        number = _first_cell(line, delimiter)
        row = tables.row(line, header, delimiter)
        if not number:
            yield Flawed((line.number,), "", row.flaw or _("commercial_id: falta"))
        elif number in survey.apart:
            kept.setdefault(number, _Group(number)).add(row)
        else:
            if group is not None and group.commercial_id != number:
                yield _basket(group, header, survey)
                group = None
            group = group or _Group(number)
            group.add(row)
    if group is not None:
        yield _basket(group, header, survey)
    for late in kept.values():
        yield _basket(late, header, survey)


def _header(source: Source) -> tuple[list[str], str]:
    columns, delimiter = tables.header(source, {*BASKET_COLUMNS, *LINE_COLUMNS}, NEEDED_COLUMNS)
    if columns[0] != "commercial_id":
        told = _("commercial_id debe ser la primera columna")
        raise Unreadable(_("Cabecera del CSV: {flaws}.").format(flaws=told))
    return columns, delimiter


def _survey(source: Source, delimiter: str) -> _Survey:
    seen, apart, doubted = _Seen(), set[str](), dict[str, int]()
    previous, nameless = "", 0
    for line in tables.data_lines(source):
        number = _first_cell(line, delimiter)
        if not number:
            nameless = line.number
            if previous:
                doubted[previous] = nameless
            continue
        if nameless:
            doubted[number], nameless = nameless, 0
        if number != previous:
            if seen.add(number):
                apart.add(number)
            previous = number
    return _Survey(frozenset(apart), doubted)


_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=[,;]|\s*$)')


def _first_cell(line: RawLine, delimiter: str) -> str:
    """Which basket a row belongs to, readable even where the rest of the row is not; "" when it is not."""
    text = line.raw[:1000].decode("utf-8", "surrogateescape")
    if text.startswith('"'):
        found = _QUOTED.match(text)
        return found[1].replace('""', '"').strip() if found else ""
    return text.partition(delimiter)[0].strip()


def _basket(group: _Group, header: Sequence[str], survey: _Survey) -> Found | Flawed:
    numbers = tuple(group.numbers)
    flaws = [_("línea {line}: {flaw}").format(line=r.number, flaw=r.flaw) for r in group.rows if r.flaw]
    if not flaws and group.commercial_id in survey.doubted:
        told = _("la línea {line}, a su lado, no se puede leer y podría ser suya")
        flaws = [told.format(line=survey.doubted[group.commercial_id])]
    flaws = flaws or _disagreements(group.rows, header)
    if flaws:
        return Flawed(numbers, group.commercial_id, "; ".join(flaws[:3]))
    rows = [dict(zip(header, row.cells, strict=True)) for row in group.rows]
    return Found(numbers, _data(rows), partial(_column, numbers))


def _disagreements(rows: Sequence[tables.Row], header: Sequence[str]) -> list[str]:
    """Where two rows of a basket say different things of it."""
    first, flaws = rows[0], []
    shared = [place for place, column in enumerate(header) if column in BASKET_COLUMNS]
    for place in shared:
        other = next((row for row in rows if row.cells[place] != first.cells[place]), None)
        if other is not None:
            told = _("{column}: la línea {line} dice «{one}» y la línea {other} «{two}»")
            flaws.append(
                told.format(
                    column=header[place],
                    line=first.number,
                    one=first.cells[place][:40],
                    other=other.number,
                    two=other.cells[place][:40],
                )
            )
    return flaws


def _data(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The object of `BasketIn` that rows tell of; an empty cell says nothing."""
    basket: dict[str, Any] = {"customer": {}, "shipping_address": {}}
    payment: dict[str, str] = {}
    for column, path in BASKET_COLUMNS.items():
        cell = rows[0].get(column)
        if cell:
            part = payment if path[0] == "payments" else basket[str(path[0])] if len(path) > 1 else basket
            part[str(path[-1])] = cell
    if payment:
        basket["payments"] = [{"method": "other", **payment}]
    basket["lines"] = [
        {path: row[column] for column, path in LINE_COLUMNS.items() if row.get(column)} for row in rows
    ]
    if not basket["shipping_address"] and all(line.get("kind", _GOODS) != _GOODS for line in basket["lines"]):
        del basket["shipping_address"]
    return basket


def _column(numbers: Sequence[int], loc: Loc) -> str:
    """What a field is called in the file: its column, and for an article its line."""
    if len(loc) > 1 and loc[0] == "lines" and isinstance(loc[1], int):
        where = _("línea {line}").format(line=numbers[loc[1]])
        return f"{where}, {_LINE_COLUMN_OF.get(loc[2], loc[2])}" if len(loc) > 2 else where
    return _COLUMN_OF.get(loc, dotted(loc))

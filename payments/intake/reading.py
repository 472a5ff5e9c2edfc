"""What the columns of a file say, line by line: orders and their cash, or payments (PAY-06, ORD-07)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from marketplace.models import Channel
from marketplace.money import NotMoney, parse
from orders.intake import tables
from orders.intake.files import Source
from payments.matching import Paid
from payments.remitting import Cash

LONGEST = 80
_YEARS = range(2000, 2100)


class Unfit(Exception):
    """A cell is not what its column asks for; the text names the column and says why."""


@dataclass(frozen=True, slots=True)
class Flawed:
    """A line that cannot be read, and why; `word` as far as it could be made out."""

    line: int
    word: str
    reason: str


type Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind[Told]:
    """A kind of file: its columns, which of them it needs, and what a row says."""

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    read: Callable[[int, Cells, Channel, datetime], Told]


def rows[Told](
    kind: Kind[Told], source: Source, channel: Channel, *, at: datetime
) -> Iterator[Told | Flawed]:
    """What each line of a file says, or why it says nothing. Raises Unreadable for a header that will not do."""
    header, delimiter = tables.header(source, kind.columns, kind.needed)
    for line in tables.data_lines(source):
        row = tables.row(line, header, delimiter)
        if row.flaw:
            yield Flawed(row.number, "", row.flaw)
            continue
        cells = dict(zip(header, row.cells, strict=True))
        try:
            yield kind.read(row.number, cells, channel, at)
        except Unfit as error:
            yield Flawed(row.number, cells[kind.columns[0]][:LONGEST], str(error))


def read_cash(line: int, cells: Cells, channel: Channel, at: datetime) -> Cash:
    """A line of a remittance."""
    return Cash(line, word(cells, "reference"), amount(cells, channel.currency))


def read_paid(line: int, cells: Cells, channel: Channel, at: datetime) -> Paid:
    """A payment."""
    currency = cells.get("currency", "").upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise Unfit(_("{column}: son tres letras").format(column="currency"))
    return Paid(
        line,
        word(cells, "order"),
        amount(cells, channel.currency),
        word(cells, "payment_reference", most=120),
        _paid_at(cells, channel, at),
        currency,
    )


CASH: Kind[Cash] = Kind(("reference", "amount"), ("reference", "amount"), read_cash)
PAID: Kind[Paid] = Kind(
    ("order", "amount", "currency", "payment_reference", "date"),
    ("order", "amount", "payment_reference", "date"),
    read_paid,
)


def cash_typed(text: str, channel: Channel) -> Sequence[Cash | Flawed]:
    """Lines that somebody typed or pasted: a number each and, if they like, `;` or a tab and its amount."""
    told: list[Cash | Flawed] = []
    for line, typed in enumerate(text.splitlines(), 1):
        if not typed.strip():
            continue
        named, _sep, cents = typed.replace("\t", ";").partition(";")
        cells = {"reference": named.strip(), "amount": cents.strip()}
        try:
            found = amount(cells, channel.currency) if cells["amount"] else None
            told.append(Cash(line, word(cells, "reference"), found))
        except Unfit as error:
            told.append(Flawed(line, cells["reference"][:LONGEST], str(error)))
    return told


def word(cells: Cells, column: str, *, most: int = LONGEST) -> str:
    """A cell that names something. Raises Unfit."""
    told = cells[column]
    if not told:
        raise Unfit(_("{column}: falta").format(column=column))
    if len(told) > most:
        raise Unfit(_("{column}: pasa de {most} letras").format(column=column, most=most))
    if not told.isprintable():
        raise Unfit(_("{column}: tiene letras que no se ven").format(column=column))
    return told


def amount(cells: Cells, currency: str) -> int:
    """The cell `amount`, in cents. Raises Unfit."""
    if not cells["amount"]:
        raise Unfit(_("{column}: falta").format(column="amount"))
    try:
        return parse(cells["amount"], currency)
    except NotMoney as error:
        raise Unfit(f"amount: {error}") from error


def _paid_at(cells: Cells, channel: Channel, at: datetime) -> datetime:
    """When it was paid: a moment with its offset, or a day, which begins where the channel is."""
    told = _moment(cells["date"], ZoneInfo(channel.timezone))
    if told is None:
        raise Unfit(_("date: no es una fecha como 2026-03-31, ni un momento con su huso"))
    if told > at:
        raise Unfit(_("date: está en el futuro"))
    return told


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        moment, day = parse_datetime(text), parse_date(text)
    except ValueError:
        return None
    if day is not None:
        moment = datetime.combine(day, time(), zone)
    sound = moment is not None and moment.tzinfo is not None and moment.year in _YEARS
    return moment if sound else None

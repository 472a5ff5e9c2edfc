"""What the bank says of transfers: a camt.054 or a CSV, read with care and judged line by line (SET-05)."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from xml.parsers import expat

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.money import NotMoney, parse
from marketplace.policy import Role
from marketplace.refusals import Code
from sellers.desk import Actor
from settlements.models import PayoutInFile
from settlements.services import answer_payouts
from settlements.states import PAYOUT_TABLE

MOST_BYTES = 20 * 1024**2
MOST_ROWS = 100_000
DEEPEST = 40
LONGEST = 2000
MOST_NODES = 1_000_000
"""Elements of entries; each takes some two hundred bytes while the file is read."""


class Unreadable(Exception):
    """The file is not one that we read; the words say why, to whoever brought it."""


class Said(NamedTuple):
    """What the bank says of one transfer: which, how much, whether it was paid, and why not."""

    row: int
    reference: str
    cents: int
    currency: str
    paid: bool
    reason: str


class Verdict(NamedTuple):
    """What becomes of what the bank said: written down, or refused with a code and nothing written."""

    said: Said
    code: str


def read(content: bytes) -> list[Said]:
    """Read a camt.054 or a CSV by what is in it. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("El fichero pasa de 20 MB."))
    begins = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    said = list(_camt(content) if begins == b"<" else _csv(content))
    if not said:
        raise Unreadable(_("No hay ninguna transferencia en el fichero."))
    return said


@dataclass(slots=True)
class _Node:
    """An element of an entry: its children, the first of each name counting, its words and its currency."""

    name: str
    currency: str = ""
    text: str = ""
    children: "list[_Node]" = field(default_factory=list)

    def find(self, path: str) -> "_Node | None":
        node: _Node | None = self
        for name in path.split("/"):
            node = next((one for one in node.children if one.name == name), None) if node else None
        return node

    def words(self, *paths: str) -> str:
        found = (self.find(path) for path in paths)
        return next((node.text.strip() for node in found if node is not None and node.text.strip()), "")


class _Reader:
    """Reads entries one by one; a document type, and with it every entity, is refused before anything is expanded."""

    def __init__(self) -> None:
        self.entries: list[_Node] = []
        self.nodes = 0
        self._open: list[_Node] = []
        self._names: list[str] = []
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._words
        self.parser = parser

    def _doctype(self, *told: Any) -> None:
        raise Unreadable(_("El fichero declara un tipo de documento: los de los bancos no lo hacen."))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._names.append(name)
        if len(self._names) > DEEPEST:
            raise Unreadable(_("El fichero está demasiado anidado."))
        if self._open or name == "Ntry":
            self.nodes += 1
            if self.nodes > MOST_NODES:
                raise Unreadable(_("El fichero tiene demasiados apuntes."))
            node = _Node(name, attributes.get("Ccy", ""))
            if self._open:
                self._open[-1].children.append(node)
            self._open.append(node)

    def _end(self, tag: str) -> None:
        self._names.pop()
        ended = self._open.pop() if self._open else None
        if ended is not None and not self._open:
            self.entries.append(ended)
            if len(self.entries) > MOST_ROWS:
                raise Unreadable(_("El fichero tiene demasiados apuntes."))

    def _words(self, text: str) -> None:
        if self._open and len(self._open[-1].text) < LONGEST:
            self._open[-1].text += text


def _camt(content: bytes) -> Iterator[Said]:
    """The transfers of a camt.054, whatever its version: debits are paid, what comes back has failed."""
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unreadable(_("El fichero no es XML: %(error)s.") % {"error": error}) from error
    number = 0
    for entry in reader.entries:
        if entry.words("Sts/Cd", "Sts") not in ("", "BOOK"):
            continue
        details = [one for node in entry.children if node.name == "NtryDtls" for one in node.children]
        details = [one for one in details if one.name == "TxDtls"]
        for one in details or [_Node("TxDtls")]:
            number += 1
            yield _transfer(number, entry, one, alone=len(details) == 1)


def _transfer(number: int, entry: _Node, one: _Node, *, alone: bool) -> Said:
    amount = one.find("Amt") or one.find("AmtDtls/TxAmt/Amt") or (entry.find("Amt") if alone else None)
    back = one.find("RtrInf")
    credit = (one.words("CdtDbtInd") or entry.words("CdtDbtInd")) == "CRDT"
    reversal = entry.words("RvslInd") in ("true", "1")
    reason = " ".join(
        filter(None, (one.words("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"), one.words("RtrInf/AddtlInf")))
    )
    paid = back is None and not reversal
    reference = one.words("Refs/EndToEndId")
    # Money that comes in and is no return is somebody else's business: it names none of our transfers.
    ours = not credit or not paid
    return Said(
        number,
        reference[:80] if ours else "",
        _cents(amount.text.strip() if amount else "", amount.currency if amount else ""),
        amount.currency if amount else "",
        paid,
        reason[:200],
    )


def _cents(text: str, currency: str) -> int:
    """An amount in cents; -1, which no transfer is of, for what is none."""
    try:
        # Banks write as many decimals as they like, as long as they are zeros.
        units, point, part = text.partition(".")
        return parse(f"{units}{point}{part[:2]}" if not part[2:].strip("0") else text, currency or "EUR")
    except (NotMoney, ValueError):
        return -1


_HEADS = {
    "reference": ("reference", "referencia", "endtoendid"),
    "amount": ("amount", "importe"),
    "currency": ("currency", "moneda"),
    "result": ("result", "resultado"),
    "reason": ("reason", "motivo"),
}
_PAID = {"paid": True, "pagada": True, "failed": False, "fallida": False, "devuelta": False}


def _csv(content: bytes) -> Iterator[Said]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(_("El fichero no es XML ni texto en UTF-8: guárdalo como CSV UTF-8.")) from error
    if "\0" in text:
        raise Unreadable(_("El fichero no es texto."))
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        heads = [head.strip().lower() for head in next(rows, [])]
        at = {
            name: next((n for n, head in enumerate(heads) if head in words), -1)
            for name, words in _HEADS.items()
        }
        if min(at["reference"], at["amount"], at["result"]) < 0:
            raise Unreadable(
                _("La primera línea tiene que nombrar las columnas referencia, importe y resultado.")
            )
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _row(rows.line_num, row, at)
    except csv.Error as error:
        raise Unreadable(_("El fichero no es CSV: %(error)s.") % {"error": error}) from error


def _row(number: int, row: Sequence[str], at: dict[str, int]) -> Said:
    if number > MOST_ROWS:
        raise Unreadable(_("El fichero tiene demasiadas líneas."))

    def cell(name: str) -> str:
        return row[at[name]].strip() if 0 <= at[name] < len(row) else ""

    result = cell("result").lower()
    currency = cell("currency") or "EUR"
    try:
        cents = parse(_without_thousands(cell("amount")), currency)
    except (NotMoney, ValueError):
        cents = -1
    reference = cell("reference")[:80] if result in _PAID else ""
    return Said(number, reference, cents, currency, _PAID.get(result, False), cell("reason")[:200])


def _without_thousands(text: str) -> str:
    """`1.234,50` and `1,234.50` as `1234,50` and `1234.50`: of two signs the last is the decimal one."""
    point, comma = text.rfind("."), text.rfind(",")
    return text if min(point, comma) < 0 else text.replace("." if point < comma else ",", "")


def judge(said: Sequence[Said], *, lock: bool = False) -> list[Verdict]:
    """What becomes of each row: "" where it can be written down.

    Refused: `unknown_payout`; `duplicate` for every row of a transfer that is named twice, since they may say
    different things; `no_amount` where none can be read; `amount_differs`; `answered`, but for one that was paid and
    comes back.
    """
    named = Counter(one.reference for one in said if one.reference)
    rows = PayoutInFile.objects.filter(live=True, end_to_end__in=list(named)).select_related("payout")
    if lock:
        rows = rows.select_for_update(of=("payout",), no_key=True).order_by("payout_id")
    known = {row.end_to_end: row for row in rows}
    return [Verdict(one, str(_flaw(one, known.get(one.reference), named[one.reference]))) for one in said]


def _flaw(one: Said, row: PayoutInFile | None, times: int) -> Code | str:
    if row is None:
        return Code.UNKNOWN_PAYOUT
    if times > 1:
        return Code.DUPLICATE
    if one.cents < 0:
        return Code.NO_AMOUNT
    if (one.cents, one.currency) != (row.amount_cents, row.payout.currency):
        return Code.AMOUNT_DIFFERS
    return "" if ("pay" if one.paid else "fail", row.payout.state) in PAYOUT_TABLE else Code.ANSWERED


@transaction.atomic
def write_down(said: Sequence[Said], *, by: Actor, at: datetime) -> list[Verdict]:
    """Write down what the bank said, row by row as judged now: paid, or failed and back in the balance.

    Whoever is no operator has every row refused as `not_allowed`.
    """
    if by.role not in (Role.OPERATOR, Role.PLATFORM):
        return [Verdict(one, str(Code.NOT_ALLOWED)) for one in said]
    verdicts = judge(said, lock=True)
    good = {verdict.said.reference: verdict.said for verdict in verdicts if not verdict.code}
    answers: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for row in PayoutInFile.objects.filter(live=True, end_to_end__in=list(good)).order_by("payout_id"):
        one = good[row.end_to_end]
        answers[one.paid, one.reason].append(row.payout_id)
    for (paid, reason), ids in answers.items():
        answer_payouts(ids, paid=paid, answer=reason, at=at)
    return verdicts

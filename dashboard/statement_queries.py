"""Reads of what a shop was paid and why: its statements, what they took, and the postings behind (SET-06)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BigIntegerField, Sum
from django.http import Http404

from ledger.models import Entry, EntryKind, Kind, Posting
from orders.models import Order
from sellers.models import Shop
from settlements.models import Invoice, Payout, PayoutInFile, Statement, StatementLine
from settlements.states import StatementState

PAGE = 50
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Page[Row]:
    """One page of a list by key, and the keys that the pages beside it start from."""

    rows: list[Row]
    previous: int | None = None
    next: int | None = None


def statements(shop: Shop, after: int | None, before: int | None) -> Page[Statement]:
    """The closed statements of a shop, newest first, with their closing, channel and payout."""
    rows = Statement.objects.filter(shop=shop, state=StatementState.CLOSED).select_related(
        "cycle", "channel", "payout"
    )
    if before is not None:
        found = list(rows.filter(id__gt=before).order_by("id")[: PAGE + 1])
    else:
        found = list((rows.filter(id__lt=after) if after else rows).order_by("-id")[: PAGE + 1])
    return _page(found, after, before)


def get_statement(shop: Shop, statement_id: int) -> Statement:
    """A closed statement of a shop. Raises Http404 for another's."""
    rows = Statement.objects.select_related("cycle", "channel__policy", "payout", "shop")
    found = rows.filter(shop=shop, id=statement_id, state=StatementState.CLOSED).first()
    if found is None:
        raise Http404
    return found


def invoices(statement: Statement) -> list[Invoice]:
    """What the operator billed of a statement's commission: its invoices, then its credit notes."""
    return list(Invoice.objects.filter(statement=statement).select_related("series").order_by("id"))


def reference_of(payout: Payout | None) -> str:
    """What the shop's bank shows beside the transfer of a payout; nothing while it is in no file."""
    if payout is None:
        return ""
    lines = PayoutInFile.objects.filter(payout=payout, live=True)
    return lines.values_list("end_to_end", flat=True).first() or ""


def taken_again_by(payout: Payout) -> Statement | None:
    """The closed statement that took the money of a payout that failed; None while it waits for the next closing."""
    lines = StatementLine.objects.filter(
        shop_id=payout.shop_id, entry__key=f"{EntryKind.PAYOUT_FAILED}:{payout.pk}"
    )
    line = lines.select_related("statement__cycle").filter(statement__state=StatementState.CLOSED).first()
    return line.statement if line else None


def booked(statement: Statement) -> int:
    """What the entries that a statement took moved of the shop's balance, from their postings; cents for the shop."""
    rows = Posting.objects.filter(
        account="payable",
        entry__in=StatementLine.objects.filter(statement=statement, entry__isnull=False).values("entry"),
    )
    return -(rows.aggregate(cents=Sum("amount_cents", output_field=BigIntegerField()))["cents"] or 0)


def paid_by_books(statement: Statement) -> int:
    """What the books say that went from the shop's balance to its bank by this statement, in cents."""
    rows = Posting.objects.filter(entry__key=f"statement:{statement.id}", account="payable")
    return sum(rows.values_list("amount_cents", flat=True))


@dataclass(slots=True)
class Taken:
    """One line of a statement: its order, if it has one, and what each heading moved, in cents for the shop.

    `returned` is the statement whose payout the bank sent back, where the line is of that.
    """

    id: int
    entry: Entry | None
    order: Order | None
    returned: Statement | None = None
    cents: dict[Kind, int] = field(default_factory=dict)

    @property
    def net_cents(self) -> int:
        return sum(self.cents.values())


def taken(statement: Statement, after: int | None = None, before: int | None = None) -> Page[Taken]:
    """One page of what a statement took, in the order in which it did."""
    rows = StatementLine.objects.filter(statement=statement).select_related("entry")
    if before is not None:
        found = list(rows.filter(id__lt=before).order_by("-id")[: PAGE + 1])
    else:
        found = list((rows.filter(id__gt=after) if after else rows).order_by("id")[: PAGE + 1])
    page = _page(found, after, before)
    return Page(_with_cents(page.rows), page.previous, page.next)


def _with_cents(lines: Sequence[StatementLine]) -> list[Taken]:
    orders = Order.objects.in_bulk({line.order_id for line in lines if line.order_id})
    rows = [Taken(line.id, line.entry, orders.get(line.order_id or 0)) for line in lines]
    by_entry = {row.entry.id: row for row in rows if row.entry}
    postings = Posting.objects.filter(entry__in=list(by_entry), account="payable")
    for entry_id, kind, cents in postings.values_list("entry_id", "kind", "amount_cents"):
        sums = by_entry[entry_id].cents
        sums[Kind(kind)] = sums.get(Kind(kind), 0) - cents
    _tell_returned(rows)
    return rows


def _tell_returned(rows: Sequence[Taken]) -> None:
    """Lay the statement of a payout that failed beside the line that has its money again."""
    failed = {
        int(row.entry.key.rpartition(":")[2]): row
        for row in rows
        if row.entry and row.entry.kind == EntryKind.PAYOUT_FAILED
    }
    if failed:
        payouts = Payout.objects.filter(id__in=list(failed)).select_related("statement__cycle")
        for payout in payouts:
            failed[payout.pk].returned = payout.statement


def _page[Row: Any](found: list[Row], after: int | None, before: int | None) -> Page[Row]:
    backwards = before is not None
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([])
    has_previous = more if backwards else after is not None
    return Page(
        found,
        found[0].id if has_previous else None,
        found[-1].id if backwards or more else None,
    )


class PostingRow(NamedTuple):
    """A posting as the file of a statement carries it, with its entry, its order and what its commission stood on."""

    entry_id: int
    entry_key: str
    entry_kind: str
    at: Any
    note: str
    order: str
    policy: int | None
    parts: Any
    posting_id: int
    account: str
    kind: str
    cents: int


def postings(statement: Statement) -> Iterator[PostingRow]:
    """Every posting behind a statement, its own payment last; read in pieces, however many there are."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id, e.key, e.kind, e.at, e.note, coalesce(o.reference, ''), v.number, o.commission_parts,
                   p.id, p.account, p.kind, p.amount_cents
              FROM (SELECT id AS line_id, entry_id FROM settlements_statementline
                     WHERE statement_id = %s AND entry_id IS NOT NULL
                    UNION ALL
                    SELECT 9223372036854775807, id FROM ledger_entry WHERE key = %s) AS l
              JOIN ledger_entry e ON e.id = l.entry_id
              JOIN ledger_posting p ON p.entry_id = e.id
              LEFT JOIN orders_order o ON o.id = e.order_id
              LEFT JOIN marketplace_policy v ON v.id = o.policy_id
             ORDER BY l.line_id, p.id
            """,
            [statement.id, f"statement:{statement.id}"],
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from (PostingRow(*row) for row in rows)

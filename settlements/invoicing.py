"""Invoices of commissions and their credit notes: set by set, numbered without a gap, never twice (SET-05, I11)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from marketplace import bulk, queries
from marketplace.refusals import Tally
from settlements import payees
from settlements.models import Invoice, InvoiceKind, InvoiceRate, Issuer, Payee, Series, Statement

BATCH = 200
_LETTERS = {InvoiceKind.INVOICE: "F", InvoiceKind.CREDIT: "R"}


class Billed(NamedTuple):
    """What a statement has to be billed under one rate: of its own orders, or given back of an earlier invoice."""

    statement_id: int
    kind: str
    refers_to: int | None
    vat_bp: int
    base_cents: int
    vat_cents: int


def issue_due(*, tally: Tally, at: datetime) -> None:
    """Bill every closed statement that has something to bill, whose two sides have told their details."""
    after = 0
    while ids := due(after, BATCH):
        after = ids[-1]
        tally.done += issue(ids, at=at)


def due(after: int, count: int) -> list[int]:
    """The next statements to be billed."""
    rows = bulk.fetch(
        """
        SELECT s.id FROM settlements_statement s
         WHERE s.to_invoice AND s.id > %s
           AND EXISTS (SELECT FROM settlements_payee p WHERE p.shop_id = s.shop_id)
           AND EXISTS (SELECT FROM settlements_issuer i WHERE i.channel_id = s.channel_id)
         ORDER BY s.id LIMIT %s
        """,
        [after, count],
    )
    return [row[0] for row in rows]


@transaction.atomic
def issue(statement_ids: Sequence[int], *, at: datetime) -> int:
    """Make the invoices of statements and after them their credit notes; those billed already are passed over. Answers
    how many papers were made."""
    statements = [row for row in bulk.lock(Statement, statement_ids) if row.to_invoice]
    if not statements:
        return 0
    ids = [row.id for row in statements]
    by_id = {row.id: row for row in statements}
    made = _make(by_id, _own(ids), InvoiceKind.INVOICE, at)
    made += _make(by_id, _given_back(ids), InvoiceKind.CREDIT, at)
    bulk.update(Statement, ("id", "to_invoice"), [(row_id, False) for row_id in ids])
    return made


_RATE = """
    rules AS MATERIALIZED (
        SELECT id, coalesce((settings::jsonb ->> 'commission_vat_bp')::bigint, 2100) AS vat FROM marketplace_policy),
    told AS (
        SELECT l.statement_id, l.order_id, l.commission_cents, l.commission_vat_cents,
               -- VAT that rounds to nothing is VAT all the same, but for a shop without it.
               CASE WHEN l.commission_vat_cents <> 0
                      OR (shop.vat_seat = 'domestic' AND abs(l.commission_cents) * r.vat < 5000)
                    THEN r.vat ELSE 0 END AS vat_bp
          FROM settlements_statementline l JOIN orders_order o ON o.id = l.order_id JOIN rules r ON r.id = o.policy_id
          JOIN sellers_shop shop ON shop.id = l.shop_id
         WHERE l.statement_id = ANY(%s::bigint[]) AND l.section = %s
           AND (l.commission_cents <> 0 OR l.commission_vat_cents <> 0))
"""
"""Each line with the rate that its order's commission has under its own policy."""


def _own(ids: Sequence[int]) -> list[Billed]:
    """What the orders of statements cost, by rate."""
    rows = bulk.fetch(
        f"""
        WITH {_RATE}
        SELECT statement_id, 'invoice', NULL::bigint, vat_bp, sum(commission_cents)::bigint,
               sum(commission_vat_cents)::bigint
          FROM told GROUP BY 1, 4 HAVING sum(told.commission_cents) <> 0 OR sum(told.commission_vat_cents) <> 0
         ORDER BY 1, 4 DESC
        """,
        [list(ids), "orders"],
    )
    return [Billed(*row) for row in rows]


def _given_back(ids: Sequence[int]) -> list[Billed]:
    """What refunds in statements gave back, below zero, by the invoice that it was billed with and by rate; what a
    provider refused in the same cycle comes to nothing, and nothing is billed of it."""
    rows = bulk.fetch(
        f"""
        WITH {_RATE}
        SELECT told.statement_id, 'credit', i.id, told.vat_bp, sum(told.commission_cents)::bigint,
               sum(told.commission_vat_cents)::bigint
          FROM told
          LEFT JOIN settlements_statementline own ON own.order_id = told.order_id AND own.section = 'orders'
          LEFT JOIN settlements_invoice i ON i.statement_id = own.statement_id AND i.kind = 'invoice'
         GROUP BY 1, 3, 4 HAVING sum(told.commission_cents) <> 0 OR sum(told.commission_vat_cents) <> 0
         ORDER BY 1, 3, 4 DESC
        """,
        [list(ids), "refund"],
    )
    return [Billed(*row) for row in rows]


class _Paper(NamedTuple):
    """A paper to be numbered: of which statement, what it corrects, its two sides, what it has under each rate."""

    statement: Statement
    refers_to: int | None
    issuer: Issuer
    payee: Payee
    told: list[Billed]


def _make(by_id: dict[int, Statement], billed: list[Billed], kind: InvoiceKind, at: datetime) -> int:
    """Number and write the papers of one kind, in the order of their statements."""
    rows: list[tuple[object, ...]] = []
    rates: list[tuple[int, list[Billed]]] = []
    for channel_id, papers in sorted(_papers(by_id, billed).items()):
        day = queries.channel(channel_id).calendar.local_day(at)
        series = _take(channel_id, kind, day, len(papers))
        for number, paper in enumerate(papers, series.last_number - len(papers) + 1):
            rows.append(_row(paper, series, number, day=day, kind=kind, at=at))
            rates.append((paper.statement.shop_id, paper.told))
    ids = bulk.insert_numbered(Invoice, _COLUMNS, rows)
    bulk.insert(
        InvoiceRate,
        ("shop_id", "invoice_id", "vat_bp", "base_cents", "vat_cents"),
        [
            (shop_id, invoice_id, one.vat_bp, one.base_cents, one.vat_cents)
            for invoice_id, (shop_id, told) in zip(ids, rates, strict=True)
            for one in told
        ],
    )
    return len(ids)


def _papers(by_id: dict[int, Statement], billed: list[Billed]) -> dict[int, list[_Paper]]:
    """What was found to bill as papers, by channel, in the order of their statements."""
    found: dict[tuple[int, int | None], list[Billed]] = defaultdict(list)
    for one in billed:
        found[one.statement_id, one.refers_to].append(one)
    told = payees.told({row.shop_id for row in by_id.values()})
    accounts = Payee.objects.in_bulk(told.values())
    issuers = {
        channel_id: payees.issuer(channel_id) for channel_id in {row.channel_id for row in by_id.values()}
    }
    papers: dict[int, list[_Paper]] = defaultdict(list)
    for (statement_id, refers_to), rates in found.items():
        statement = by_id[statement_id]
        issuer = issuers[statement.channel_id]
        assert issuer is not None  # `due` takes no statement without one
        payee = accounts[told[statement.shop_id]]
        papers[statement.channel_id].append(_Paper(statement, refers_to, issuer, payee, rates))
    return papers


_COLUMNS = (
    "series_id", "number", "kind", "shop_id", "channel_id", "statement_id", "refers_to_id", "issuer_id", "payee_id",
    "vat_seat", "currency", "base_cents", "vat_cents", "issued_on", "made_at",
)  # fmt: skip


def _row(
    paper: _Paper, series: Series, number: int, *, day: date, kind: InvoiceKind, at: datetime
) -> tuple[object, ...]:
    statement, payee = paper.statement, paper.payee
    base, vat = sum(one.base_cents for one in paper.told), sum(one.vat_cents for one in paper.told)
    return (
        series.pk, number, str(kind), statement.shop_id, statement.channel_id, statement.pk, paper.refers_to,
        paper.issuer.pk, payee.pk, payee.vat_seat, statement.currency, base, vat, day, at,
    )  # fmt: skip


def _take(channel_id: int, kind: InvoiceKind, day: date, count: int) -> Series:
    """Take so many numbers of a series; whoever comes at the same moment waits until these are written or undone."""
    code = f"{queries.channel(channel_id).code.upper()}-{_LETTERS[kind]}{day.year}"
    Series.objects.get_or_create(code=code, defaults={"channel_id": channel_id})
    series = Series.objects.select_for_update().get(code=code)
    series.last_number += count
    series.save(update_fields=["last_number"])
    return series

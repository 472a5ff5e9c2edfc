"""The papers of a settlement: the statement as PDF and CSV, the invoice as PDF (SET-05)."""

import csv
from collections.abc import Iterator, Sequence
from itertools import batched, chain
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketplace.csv_cells import plain as cell
from marketplace.moments import day_words
from marketplace.money import percent, plain
from marketplace.pdf import draw, draw_in_parts, render_pdf
from orders.models import Order
from sellers.models import VatSeat
from settlements.models import Invoice, InvoiceKind, Statement, StatementLine
from settlements.states import CarriedWhy

AT_A_TIME = 2000
A_TABLE = 60
"""Rows of a table in a PDF: many small tables are laid out faster than one long one."""

A_PART = 600
"""Lines of a statement that are drawn at a time: what is laid out takes some 120 KB a line."""


class Told:
    """A line of a statement with the number of its order and its explanation."""

    def __init__(self, line: StatementLine, reference: str) -> None:
        self.line, self.reference = line, reference
        self.amount_cents = line.orders_cents + line.other_cents
        self.fee_cents = -line.commission_cents
        self.vat_cents = -line.commission_vat_cents
        self.net_cents = self.amount_cents + self.fee_cents + self.vat_cents
        note = line.entry.note if line.entry is not None else ""
        self.about = reference or note or "–"


def lines(statement: Statement) -> Iterator[Told]:
    """The lines of a statement in the order of their sections, some thousands in memory at a time."""
    rows = statement.lines.select_related("entry").order_by("id").iterator(chunk_size=AT_A_TIME)
    for some in batched(rows, AT_A_TIME):
        ids = [line.order_id for line in some if line.order_id]
        references = dict(Order.objects.filter(id__in=ids).values_list("id", "reference"))
        for line in some:
            yield Told(line, references.get(line.order_id or 0, ""))


def sums(statement: Statement) -> list[tuple[str, int]]:
    """What a statement adds up, in words, down to what is paid and what is carried over."""
    rows = [
        (_("Saldo anterior"), statement.opening_cents),
        (_("Pedidos"), statement.orders_cents),
        (_("Comisión"), -statement.commission_cents),
        (_("IVA de la comisión"), -statement.commission_vat_cents),
        (_("Reembolsos"), statement.refunds_cents),
        (_("Comisión devuelta"), statement.commission_back_cents),
        (_("IVA devuelto de la comisión"), statement.commission_vat_back_cents),
        (_("Cubierto por el operador"), statement.cover_cents),
        (_("Ajustes"), statement.adjustments_cents),
        (_("Transferencias devueltas"), statement.returned_cents),
    ]
    return [(words, cents) for n, (words, cents) in enumerate(rows) if cents or n < 4]


def statement_name(statement: Statement, kind: str) -> str:
    """The name of its file: the shop, the day of the closing, its number."""
    return f"{statement.shop.code}-{statement.cycle.closes_at:%Y-%m-%d}-{statement.pk}.{kind}"


def statement_pdf(statement: Statement) -> bytes:
    """A statement on paper, in the shop's language; a long one is drawn in parts. Raises PdfUnavailable."""
    calendar = statement.channel.calendar
    context: dict[str, Any] = {
        "statement": statement,
        "shop": statement.shop,
        "sums": lambda: sums(statement),
        "why": lambda: CarriedWhy(statement.carried_why).label if statement.carried_why else "",
        "closed_on": lambda: day_words(calendar.local_day(statement.cycle.closes_at), year=True),
    }

    def drawn(
        rows: Sequence[Told], *, starts: bool = False, footed: bool = False, empty_pages: int = 0
    ) -> str:
        more = {
            "tables": batched(rows, A_TABLE),
            "starts": starts,
            "footed": footed,
            "empty_pages": empty_pages,
        }
        return render_to_string("pdf/statement.jinja", context | more, using="jinja2")

    with override(statement.shop.language):
        parts = batched(lines(statement), A_PART)
        first = next(parts, ())
        if statement.lines_count <= A_PART:
            return draw(drawn(first, starts=True, footed=True))
        whole = chain([drawn(first, starts=True)], (drawn(part) for part in parts))
        return draw_in_parts(whole, lambda pages: drawn((), footed=True, empty_pages=pages))


def statement_csv(statement: Statement, out: Any) -> None:
    """A statement as a table: each line, then what it adds up to; amounts as machines read them."""
    writer, currency = csv.writer(out), statement.currency
    with override(statement.shop.language):
        heads = (
            _("Apartado"),
            _("Pedido"),
            _("Importe"),
            _("Comisión"),
            _("IVA de la comisión"),
            _("Neto"),
            _("Moneda"),
        )
        writer.writerow(heads)
        for one in lines(statement):
            cents = (one.amount_cents, one.fee_cents, one.vat_cents, one.net_cents)
            cells = (plain(amount, currency) for amount in cents)
            writer.writerow((str(one.line.get_section_display()), cell(one.about), *cells, currency))
        total = [*sums(statement), (_("Se transfiere"), statement.payout_cents)]
        for words, cents_ in [*total, (_("Saldo que pasa"), statement.carried_cents)]:
            writer.writerow((words, "", "", "", "", plain(cents_, currency), currency))


MENTIONS = {
    VatSeat.CANARIES: (
        "Operación no sujeta a IVA: artículos 3.Dos y 69.Uno.1.º de la Ley 37/1992. Inversión del sujeto pasivo en el "
        "IGIC: artículo 19.1.2.º de la Ley 20/1991."
    ),
    VatSeat.CEUTA: "Operación no sujeta a IVA: artículos 3.Dos y 69.Uno.1.º de la Ley 37/1992.",
    VatSeat.MELILLA: "Operación no sujeta a IVA: artículos 3.Dos y 69.Uno.1.º de la Ley 37/1992.",
    VatSeat.UNION: (
        "Inversión del sujeto pasivo (reverse charge): artículo 69.Uno.1.º de la Ley 37/1992 y artículos 44 y 196 de "
        "la Directiva 2006/112/CE."
    ),
    VatSeat.OUTSIDE: "Operación no sujeta a IVA: artículo 69.Uno.1.º de la Ley 37/1992.",
}
"""What an invoice without VAT has to say (art. 6.1 of RD 1619/2012); the law is named in its own language."""


def invoice_name(invoice: Invoice) -> str:
    """The name of its file: its number."""
    return f"{invoice}.pdf"


def invoice_pdf(invoice: Invoice) -> bytes:
    """An invoice or a credit note on paper, in the shop's language. Raises PdfUnavailable."""
    local, rates = invoice.channel.calendar.local_day, list(invoice.rates.all())
    context: dict[str, Any] = {
        "invoice": invoice,
        "issuer": invoice.issuer,
        "payee": invoice.payee,
        "rates": rates,
        "percent": percent,
        "is_credit": invoice.kind == InvoiceKind.CREDIT,
        "mention": _mention(invoice) if any(not rate.vat_bp for rate in rates) else "",
        "issued_on": lambda: day_words(invoice.issued_on, year=True),
        "closed_on": lambda: day_words(local(invoice.statement.cycle.closes_at), year=True),
        "corrected_on": lambda: (
            day_words(invoice.refers_to.issued_on, year=True) if invoice.refers_to else ""
        ),
    }
    return render_pdf("pdf/invoice.jinja", context, invoice.shop.language)


def _mention(invoice: Invoice) -> str:
    """The law by which there is no VAT; of a shop that has moved since, the one for all."""
    return MENTIONS.get(VatSeat(invoice.vat_seat), MENTIONS[VatSeat.OUTSIDE])

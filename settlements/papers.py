"""Handing out the papers of a settlement: made when they are asked for, each time on record (DOC-04)."""

import io
from datetime import datetime

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from sellers.desk import Actor
from settlements import documents
from settlements.models import Invoice, Paper, Statement
from settlements.paying import given

STATEMENTS = Statement.objects.select_related("shop", "channel", "cycle")
INVOICES = Invoice.objects.select_related(
    "shop", "channel", "series", "issuer", "payee", "statement__cycle", "refers_to__series"
)


def statement_pdf(statement: Statement, *, by: Actor, at: datetime) -> HttpResponse:
    """A statement as PDF. Raises PdfUnavailable."""
    made = documents.statement_pdf(statement)
    given(Paper.STATEMENT_PDF, statement.pk, statement.shop_id, by=by, at=at)
    return _private(made, "application/pdf", documents.statement_name(statement, "pdf"))


def statement_csv(statement: Statement, *, by: Actor, at: datetime) -> HttpResponse:
    """A statement as CSV, with the mark that spreadsheets know UTF-8 by."""
    out = io.StringIO("\ufeff", newline="")
    out.seek(0, io.SEEK_END)
    documents.statement_csv(statement, out)
    given(Paper.STATEMENT_CSV, statement.pk, statement.shop_id, by=by, at=at)
    name = documents.statement_name(statement, "csv")
    return _private(out.getvalue().encode(), "text/csv; charset=utf-8", name, as_attachment=True)


def invoice_pdf(invoice: Invoice, *, by: Actor, at: datetime) -> HttpResponse:
    """An invoice as PDF. Raises PdfUnavailable."""
    made = documents.invoice_pdf(invoice)
    given(Paper.INVOICE, invoice.pk, invoice.shop_id, by=by, at=at)
    return _private(made, "application/pdf", documents.invoice_name(invoice))


def _private(content: bytes, kind: str, name: str, *, as_attachment: bool = False) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = content_disposition_header(as_attachment, name) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer

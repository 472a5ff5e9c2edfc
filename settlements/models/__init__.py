"""Settlement as rows, by what they are about."""

from settlements.models.adjustments import Adjustment
from settlements.models.files import Paper, PaperDownload, PayoutFile, PayoutInFile
from settlements.models.invoices import Invoice, InvoiceKind, InvoiceRate, Series
from settlements.models.payees import Issuer, Party, Payee
from settlements.models.statements import Cycle, Payout, Statement, StatementLine

__all__ = [
    "Adjustment",
    "Cycle",
    "Invoice",
    "InvoiceKind",
    "InvoiceRate",
    "Issuer",
    "Paper",
    "PaperDownload",
    "Party",
    "Payee",
    "Payout",
    "PayoutFile",
    "PayoutInFile",
    "Series",
    "Statement",
    "StatementLine",
]

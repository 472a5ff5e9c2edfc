"""A statement in words: the sum that ends in what was paid, from the postings, and its difference from it (SET-06)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from dashboard import statement_queries as queries
from marketplace.money import format_money
from settlements.models import Payout, Statement
from settlements.states import PayoutState

TONES = {PayoutState.IN_TRANSIT: "wait", PayoutState.PAID: "done", PayoutState.FAILED: "bad"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a sum: what it is of, its cents, and the same written out; a `result` closes the lines above it."""

    text: str
    cents: int
    amount: str
    result: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A statement added up again from the postings behind it, and by how much that misses what was paid."""

    steps: Sequence[Step]
    difference_cents: int
    difference: str


def sums_of(statement: Statement) -> list[Step]:
    """What a statement comes to, section by section, down to what was paid."""
    always = (
        (_("Saldo anterior"), statement.opening_cents),
        (_("Pedidos recibidos"), statement.orders_cents),
        (_("Comisión de los pedidos"), -statement.commission_cents),
        (_("IVA de la comisión"), -statement.commission_vat_cents),
    )
    where_any = (
        (_("Reembolsos a clientes"), statement.refunds_cents),
        (_("Comisión que vuelve por los reembolsos"), statement.commission_back_cents),
        (_("IVA de la comisión que vuelve"), statement.commission_vat_back_cents),
        (_("Reembolsos que cubre el operador"), statement.cover_cents),
        (_("Ajustes del operador"), statement.adjustments_cents),
        (_("Transferencias que el banco devolvió"), statement.returned_cents),
    )
    terms = [*always, *((text, cents) for text, cents in where_any if cents)]
    steps = [_step(statement, text, cents) for text, cents in terms]
    steps.append(_step(statement, _("Saldo"), sum(cents for _text, cents in terms), result=True))
    if statement.carried_cents:
        why = statement.get_carried_why_display() if statement.carried_why else ""
        words = _("Pasa a la siguiente liquidación")
        steps.append(_step(statement, f"{words}: {why}" if why else words, -statement.carried_cents))
    steps.append(_step(statement, _("Pagado"), statement.payout_cents, result=True))
    return steps


def _step(statement: Statement, text: str, cents: int, *, result: bool = False) -> Step:
    return Step(text, cents, format_money(cents, statement.currency), result)


def proof_of(statement: Statement) -> Proof:
    """Add a statement up again, from the books and not from what it says itself."""
    taken = queries.booked(statement)
    paid = queries.paid_by_books(statement)
    payout = getattr(statement, "payout", None)
    left = statement.opening_cents + taken - statement.carried_cents
    sent = payout.amount_cents if payout else 0
    difference = (left - paid) or (paid - sent)
    steps = [
        _step(statement, _("Saldo anterior"), statement.opening_cents),
        _step(statement, _("Apuntes de estas líneas"), taken),
        _step(statement, _("Pasa a la siguiente liquidación"), -statement.carried_cents),
        _step(statement, _("Pagado según el libro"), paid, result=True),
    ]
    return Proof(steps, difference, format_money(difference, statement.currency))


def payout_words(payout: Payout | None) -> tuple[str, str]:
    """How a payout stands, as a badge: its words and its tone."""
    if payout is None:
        return pgettext("payout", "Nada que pagar"), "wait"
    return str(PayoutState(payout.state).label), TONES[PayoutState(payout.state)]


def answered(payout: Payout | None) -> datetime | None:
    """When the bank said so."""
    return payout.answered_at if payout else None

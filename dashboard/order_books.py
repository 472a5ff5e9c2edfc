"""The books of an order: each entry with its postings, and the sum that ends in what they owe the shop (SET-06)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from dashboard.order_money import rate_words
from ledger.models import Account, Entry, EntryKind, Posting
from marketplace.money import format_money, percent
from orders.models import Order
from orders.services import fee_base
from orders.states import PAST_RECEIPT
from settlements.models import Statement, StatementLine


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the sum: what it is, how it was worked out, and its amount written out."""

    text: str
    cents: int
    amount: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of the books with its postings; `statement` is the one that took it, if one has."""

    entry: Entry
    postings: Sequence[Posting]
    statement: Statement | None

    @property
    def kind(self) -> str:
        return str(EntryKind(self.entry.kind).label)


@dataclass(frozen=True, slots=True)
class Books:
    """What an order comes to for its shop, term by term, what the books say, and the difference of the two."""

    terms: Sequence[Term]
    total: str
    booked: str
    difference: str
    difference_cents: int
    received: bool
    entries: Sequence[Written] = field(default_factory=list)


def books_of(order: Order) -> Books:
    """Work the order's money out from its own figures, and lay what was posted beside it."""
    entries = _entries(order)
    received = order.state in PAST_RECEIPT
    covered = sum(
        -one.amount_cents
        for written in entries
        if written.entry.kind == EntryKind.COVER
        for one in written.postings
        if one.account == Account.PAYABLE
    )
    terms = _terms(order, received=received, covered_cents=covered)
    total = sum(term.cents for term in terms)
    account = Account.PAYABLE if received else Account.PENDING
    booked = -sum(
        posting.amount_cents for one in entries for posting in one.postings if posting.account == account
    )

    def said(cents: int) -> str:
        return format_money(cents, order.currency)

    return Books(terms, said(total), said(booked), said(total - booked), total - booked, received, entries)


def _entries(order: Order) -> list[Written]:
    rows: QuerySet[Entry] = Entry.objects.filter(order_id=order.id, shop_id=order.shop_id).order_by("id")
    found = list(rows.prefetch_related(Prefetch("postings", Posting.objects.order_by("id"))))
    lines = StatementLine.objects.filter(entry__in=found).select_related("statement__cycle")
    taken = {line.entry_id: line.statement for line in lines}
    return [Written(entry, list(entry.postings.all()), taken.get(entry.id)) for entry in found]


def _terms(order: Order, *, received: bool, covered_cents: int) -> list[Term]:
    def term(text: str, cents: int, how: str = "") -> Term:
        return Term(text, cents, format_money(cents, order.currency), how)

    terms = [term(_("Cobrado al cliente"), order.charged_cents)]
    if order.refunded_cents:
        terms.append(term(_("Devuelto al cliente"), -order.refunded_cents))
    if not received:
        return terms
    terms += [term(_("Comisión"), -part["cents"], _of_part(order, part)) for part in _parts(order)]
    vat = order.policy.rules.commission_vat_bp if order.commission_vat_cents else 0
    how = _("%(rate)s %% de %(base)s") % {
        "rate": percent(vat),
        "base": format_money(order.commission_cents, order.currency),
    }
    terms.append(term(_("IVA de la comisión"), -order.commission_vat_cents, how))
    if order.commission_back_cents:
        terms.append(term(_("Comisión que vuelve por los reembolsos"), order.commission_back_cents))
    if order.commission_vat_back_cents:
        terms.append(term(_("IVA de la comisión que vuelve"), order.commission_vat_back_cents))
    if covered_cents:
        terms.append(term(_("Reembolsos que cubre el operador"), covered_cents))
    return terms


def _parts(order: Order) -> Sequence[Mapping[str, Any]]:
    """The commission by rate; one part where it is the policy's alone."""
    if order.commission_parts:
        parts: Sequence[Mapping[str, Any]] = order.commission_parts
        return parts
    return [
        {
            "rate": None,
            "basis_points": order.policy.rules.commission_bp,
            "category": "",
            "of_shop": False,
            "base_cents": fee_base(order),
            "cents": order.commission_cents,
        }
    ]


def _of_part(order: Order, part: Mapping[str, Any]) -> str:
    words = {
        "rate": percent(part["basis_points"]),
        "base": format_money(part["base_cents"], order.currency),
    }
    return _("%(rate)s %% de %(base)s") % words + (rate_words(part) if order.commission_parts else "")

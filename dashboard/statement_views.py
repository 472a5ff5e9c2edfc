"""What a shop was paid: its statements, each with the sum that explains it, and the same as a file (SET-05, SET-06)."""

import csv
from collections.abc import Iterator, Mapping

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import held_money, held_queries, queries
from dashboard import statement_queries as reads
from dashboard.home import next_settlement
from dashboard.order_books import books_of
from dashboard.statements import payout_words, proof_of, sums_of
from ledger.models import Account, EntryKind, Kind
from ledger.sealing import last_proof
from marketplace import money
from marketplace.csv_cells import plain
from marketplace.money import format_money
from orders.queries import get_order
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right, who_has
from sellers.models import Membership
from settlements.models import Paper, Statement
from settlements.paying import given
from settlements.states import PayoutState
from settlements.views import no_right


@require_safe
@at_the_desk
def statements(request: DeskRequest) -> HttpResponse:
    """The statements of the shop, newest first, with what it is owed now."""
    now = timezone.now()
    page = reads.statements(request.shop, *_place(request.GET))
    figures = queries.figures(request.membership, now)
    owed = queries.balances(request.shop)
    told = {
        "section": "money",
        "now": now,
        "rows": [(one, payout_words(getattr(one, "payout", None))) for one in page.rows],
        "page": page,
        "owed": [format_money(cents, currency) for currency, cents in sorted(owed.items())],
        "proved": last_proof(),
        "held": _held(request.membership),
        "settlement": next_settlement(figures, queries.channels().values(), now),
        "waiting": figures.waiting,
    }
    return render(request, "dashboard/statements.jinja", told)


def _held(member: Membership) -> str:
    """What is not paid yet, in all."""
    whole = held_money.totals(held_queries.by_cause(member), held_queries.loose(member))
    return " · ".join(one.total[1] for one in whole) or format_money(0, "EUR")


@require_safe
@at_the_desk
def statement(request: DeskRequest, statement_id: int) -> HttpResponse:
    """One statement: what it comes to, its proof from the books, and every line of it. Raises Http404.

    The proof of a long one is asked for by the page that is already there.
    """
    return _statement(request, statement_id, lines_proved=PROVED_AT_ONCE)


@require_safe
@at_the_desk
def statement_proof(request: DeskRequest, statement_id: int) -> HttpResponse:
    """The proof of a statement from the books, for htmx; the whole page with it for anybody else. Raises Http404."""
    if "HX-Request" not in request.headers:
        return _statement(request, statement_id, lines_proved=None)
    told = {"proof": proof_of(reads.get_statement(request.shop, statement_id))}
    return render(request, "dashboard/statement_proof.jinja", told)


PROVED_AT_ONCE = 2000
"""Lines of a statement that are added up again from the books while its page is made."""


def _statement(request: DeskRequest, statement_id: int, *, lines_proved: int | None) -> HttpResponse:
    one = reads.get_statement(request.shop, statement_id)
    page = reads.taken(one, *_place(request.GET))
    payout = getattr(one, "payout", None)
    told = {
        "section": "money",
        "now": timezone.now(),
        "statement": one,
        "payout": payout,
        "badge": payout_words(payout),
        "reference": reads.reference_of(payout),
        "failed": payout is not None and payout.state == PayoutState.FAILED,
        "again": reads.taken_again_by(payout) if payout and payout.state == PayoutState.FAILED else None,
        "papers": reads.invoices(one),
        "takes_papers": request.actor.may(Right.MONEY),
        "takers": who_has(Right.MONEY),
        "steps": sums_of(one),
        "proof": proof_of(one) if lines_proved is None or one.lines_count <= lines_proved else None,
        "proved": last_proof(),
        "page": page,
        "zone": one.channel.calendar.zone,
        "waiting": queries.waiting(request.membership),
    }
    return render(request, "dashboard/statement.jinja", told)


@require_safe
@at_the_desk
def statement_file(request: DeskRequest, statement_id: int) -> HttpResponseBase:
    """Every posting behind a statement as CSV, with what was carried in and out, down to the difference; that it was
    taken is written down (DOC-04)."""
    one = reads.get_statement(request.shop, statement_id)
    if not request.actor.may(Right.MONEY):
        return no_right(request, Right.MONEY)
    given(Paper.POSTINGS_CSV, one.id, one.shop_id, by=request.actor, at=timezone.now())
    response = StreamingHttpResponse(_file(one), content_type="text/csv; charset=utf-8")
    name = f"liquidacion-{one.cycle.closes_at:%Y-%m-%d}-{one.id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@at_the_desk
def order_books(request: DeskRequest, reference: str) -> HttpResponse:
    """The books of one order: the sum of what it comes to, and every posting. Raises Http404."""
    order = get_order(request.membership, reference)
    told = {
        "section": "orders",
        "now": timezone.now(),
        "order": order,
        "books": books_of(order),
        "zone": order.channel.calendar.zone,
        "waiting": queries.waiting(request.membership),
    }
    return render(request, "dashboard/order_books.jinja", told)


def _place(given: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The keys that a page starts after, or ends before; what is not understood is left out."""
    after, before = (_key(given.get(name, "")) for name in ("despues", "antes"))
    return after, None if after else before


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class _Line:
    """What the writer of CSV takes for a file: it gives each line back."""

    def write(self, text: str) -> str:
        return text


def _file(statement: Statement) -> Iterator[str]:
    writer = csv.writer(_Line())
    zone = statement.channel.calendar.zone

    def amount(cents: int) -> str:
        return money.plain(cents, statement.currency)

    yield "\ufeff"
    yield writer.writerow(
        [
            _("Asiento"), _("Clase"), _("Momento"), _("Pedido"), _("Política"), _("Apunte"), _("Cuenta"),
            _("Concepto"), _("Importe"), _("Para la tienda"), _("Moneda"), _("Explicación"),
        ]
    )  # fmt: skip

    def closing(words: str, cents: int) -> str:
        line: str = writer.writerow(
            ["", words, "", "", "", "", "", "", "", amount(cents), statement.currency, ""]
        )
        return line

    yield closing(_("Saldo anterior"), statement.opening_cents)
    balance, paid = statement.opening_cents, 0
    own = f"statement:{statement.id}"
    for row in reads.postings(statement):
        mine = -row.cents if row.account == Account.PAYABLE else 0
        if row.entry_key == own:
            paid -= mine
        else:
            balance += mine
        yield writer.writerow(
            [
                row.entry_id, str(EntryKind(row.entry_kind).label), row.at.astimezone(zone).isoformat(),
                plain(row.order), row.policy or "", row.posting_id, str(Account(row.account).label),
                str(Kind(row.kind).label), amount(row.cents), amount(mine) if mine else "",
                statement.currency, plain(row.note),
            ]
        )  # fmt: skip
    yield closing(_("Saldo"), balance)
    yield closing(_("Pasa a la siguiente liquidación"), -statement.carried_cents)
    yield closing(_("Pagado"), paid)
    yield closing(_("Diferencia"), balance - statement.carried_cents - paid)

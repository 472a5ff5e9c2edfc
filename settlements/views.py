"""The shop's page of how it is paid and billed, written by the owner; the papers of its statements (SET-05)."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.pdf import TO_INSTALL, PdfUnavailable
from messaging.shop_days_views import SeeOther
from sellers.access import DeskRequest, at_the_desk, visiting
from sellers.desk import Right, who_has
from settlements import papers, payees
from settlements.forms import DetailsForm
from settlements.models import Payee
from settlements.payees import Details
from settlements.states import StatementState


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def payee(request: DeskRequest) -> HttpResponse:
    """Bank and tax details: the account is shown masked, and written anew to be changed."""
    if not request.actor.may(Right.MONEY):
        return no_right(request, Right.MONEY)
    now = payees.payee(request.shop)
    if request.method != "POST":
        return _page(request, DetailsForm(initial=_initial(request, now)), now, 200)
    if not request.actor.may(Right.BANK):
        return no_right(request, Right.BANK)
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _page(request, form, now, 422)
    payees.keep(request.shop, form.details, by=request.actor, at=timezone.now())
    messages.success(request, _("Guardado: con estos datos se te paga y se te factura desde ahora."))
    return SeeOther(reverse("payee"))


def _initial(request: DeskRequest, now: Payee | None) -> dict[str, str]:
    """What is known, but for the account: whoever changes anything writes it again."""
    if now:
        return {one.name: getattr(now, one.name) for one in fields(Details) if one.name != "iban"}
    shop = request.shop
    return {
        "legal_name": shop.legal_name,
        "tax_id": shop.tax_id,
        "street": shop.address,
        "city": shop.city,
        "country": "ES",
    }


def _page(request: DeskRequest, form: DetailsForm, now: Payee | None, status: int) -> HttpResponse:
    told = {
        "form": form,
        "payee": now,
        "history": Payee.objects.filter(shop=request.shop).order_by("-id")[:20],
        "may_write": request.actor.may(Right.BANK),
        "who_may": who_has(Right.BANK),
    }
    return render(visiting(request, reverse("payee")), "settlements/payee.jinja", told, status=status)


def no_right(request: DeskRequest, right: Right) -> HttpResponse:
    """403, with who may."""
    return render(request, "orders/no_right.jinja", {"who": who_has(right)}, status=403)


@require_safe
@at_the_desk
def statement_paper(request: DeskRequest, statement_id: int, kind: str) -> HttpResponse:
    """A closed statement of the shop as PDF or CSV; a stranger's is not found (SET-05, DOC-04)."""
    if not request.actor.may(Right.MONEY):
        return no_right(request, Right.MONEY)
    closed = papers.STATEMENTS.filter(shop=request.shop, state=StatementState.CLOSED)
    statement = get_object_or_404(closed, pk=statement_id)
    make = papers.statement_pdf if kind == "pdf" else papers.statement_csv
    return _handed(request, lambda at: make(statement, by=request.actor, at=at))


@require_safe
@at_the_desk
def invoice_paper(request: DeskRequest, invoice_id: int) -> HttpResponse:
    """An invoice of the shop, or a credit note; a stranger's is not found (SET-05, DOC-04)."""
    if not request.actor.may(Right.MONEY):
        return no_right(request, Right.MONEY)
    invoice = get_object_or_404(papers.INVOICES.filter(shop=request.shop), pk=invoice_id)
    return _handed(request, lambda at: papers.invoice_pdf(invoice, by=request.actor, at=at))


def _handed(request: DeskRequest, make: Callable[[datetime], HttpResponse]) -> HttpResponse:
    """The paper, or 503 with what the server lacks."""
    try:
        return make(timezone.now())
    except PdfUnavailable:
        return render(request, "orders/no_pdf.jinja", {"line": TO_INSTALL}, status=503)

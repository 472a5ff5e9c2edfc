"""The operators' room of invoices and credit notes, and the papers of statements (SET-05, DOC-04)."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import waits
from marketplace.money import percent
from marketplace.pdf import TO_INSTALL, PdfUnavailable
from marketplace.rooms import (
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    act,
    column,
    found,
    link,
    money,
    register,
)
from sellers.desk import Actor, operator
from settlements import papers
from settlements.models import Invoice, Issuer, Payee, Statement


def unbilled() -> QuerySet[Statement]:
    """Statements whose commission cannot be billed, because one of the two sides has not told its details."""
    told = Payee.objects.values("shop")
    return Statement.objects.filter(to_invoice=True).exclude(
        shop__in=told, channel__in=Issuer.objects.values("channel")
    )


waits.add(
    waits.Wait(
        9,
        "unbilled",
        gettext_lazy("Comisiones sin facturar"),
        gettext_lazy("Faltan los datos fiscales de la tienda o los del operador en su canal."),
        "settlements_statement_changelist",
        "?to_invoice__exact=1",
        unbilled,
    )
)


def handed(request: HttpRequest, make: Callable[[Actor, datetime], HttpResponse], back: str) -> HttpResponse:
    """A paper for an operator, or why this server makes none."""
    try:
        return make(operator(request.user), timezone.now())  # type: ignore[arg-type]
    except PdfUnavailable:
        messages.error(request, _("Este servidor no puede hacer documentos todavía.") + f" {TO_INSTALL}")
        return HttpResponseRedirect(back)


@register(Invoice)
class InvoiceAdmin(ReadingRoom):
    """What the operator has billed shops for."""

    list_display = ("number_word", "kind", "shop_word", "channel_word", "issued_on", "base", "vat", "total")
    list_filter = (("kind", ChoicesDropdownFilter), ("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel", "series")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions_detail = ("download",)
    fields = (
        ("number_word", "kind", "issued_on"),
        ("shop_word", "channel_word", "statement_word", "corrects"),
        ("base", "vat", "total", "vat_seat"),
    )
    readonly_fields = (
        "number_word",
        "shop_word",
        "channel_word",
        "statement_word",
        "corrects",
        "base",
        "vat",
        "total",
    )

    def panels(self, request: HttpRequest, obj: Invoice) -> Iterable[Panel]:
        rows = [
            (
                f"{percent(rate.vat_bp)} %",
                money(rate.base_cents, obj.currency),
                money(rate.vat_cents, obj.currency),
            )
            for rate in obj.rates.all()
        ]
        yield Panel(_("Por tipo de IVA"), (_("Tipo de IVA"), _("Base"), _("Cuota")), rows, numbers=(1, 2))

    @act(gettext_lazy("Descargar"), icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The invoice as PDF; that it was taken is written down (DOC-04)."""
        invoice = found(papers.INVOICES.all(), object_id)
        return handed(
            request,
            lambda by, at: papers.invoice_pdf(invoice, by=by, at=at),
            self.address("change", object_id),
        )

    @column(gettext_lazy("Número"))
    def number_word(self, invoice: Invoice) -> str:
        return str(invoice)

    @column(gettext_lazy("Liquidación"))
    def statement_word(self, invoice: Invoice) -> str:
        return link(invoice.statement, invoice.statement.cycle)

    @column(gettext_lazy("Rectifica a"))
    def corrects(self, invoice: Invoice) -> str:
        return link(invoice.refers_to) if invoice.refers_to else "–"

    @column(gettext_lazy("Base"), formatting="price")
    def base(self, invoice: Invoice) -> str:
        return money(invoice.base_cents, invoice.currency)

    @column(gettext_lazy("Cuota"), formatting="price")
    def vat(self, invoice: Invoice) -> str:
        return money(invoice.vat_cents, invoice.currency)

    @column(gettext_lazy("Total"), formatting="price")
    def total(self, invoice: Invoice) -> str:
        return money(invoice.total_cents, invoice.currency)

"""The operators' room of the books: entries with their postings, and what each shop is owed; only read."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from ledger.models import Account, Balance, Entry, Posting
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    column,
    link,
    moment,
    money,
    register,
)
from orders.admin_filters import called
from orders.admin_panels import ORDER_PANELS
from orders.models import Order


def entries_panel(order: Order) -> Panel:
    """Every posting of an order, under its entry."""
    headers = (_("Momento"), _("Asiento"), _("Cuenta"), _("Concepto"), _("Debe"), _("Haber"))
    postings = (
        Posting.objects.filter(entry__order_id=order.pk).select_related("entry").order_by("entry_id", "id")
    )
    rows = [
        (
            moment(one.entry.at),
            link(one.entry, one.entry.get_kind_display()),
            one.get_account_display(),
            one.get_kind_display(),
            *sides(one),
        )
        for one in postings[:SHOWN_IN_A_PANEL]
    ]
    return Panel(_("Asientos"), headers, rows, numbers=(4, 5))


def sides(posting: Posting) -> tuple[str, str]:
    """A posting as debit and credit."""
    words = money(abs(posting.amount_cents), posting.currency)
    return (words, "") if posting.amount_cents > 0 else ("", words)


ORDER_PANELS.append(entries_panel)


@register(Entry)
class EntryAdmin(ReadingRoom):
    """Entries of the books, newest first; the number of an order finds its own (SET-04)."""

    list_display = ("kind", "order_reference", "shop_word", "channel_word", "at", "note")
    list_filter = (("kind", ChoicesDropdownFilter), ("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel")
    fields = (("kind", "order_word", "shop_word", "channel_word"), ("at", "written_at", "note"), "key")
    readonly_fields = ("shop_word", "channel_word", "order_word")
    search_fields = ("key",)
    search_help_text = gettext_lazy("El principio del número de pedido.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        reference = Order.objects.filter(pk=OuterRef("order_id")).values("reference")
        rows: QuerySet[Entry] = super().get_queryset(request).annotate(reference=Subquery(reference))
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """By the beginning of the order's number, or by the whole key; both have an index."""
        term = search_term.strip()
        if term:
            queryset = queryset.filter(Q(order_id__in=called(term)) | Q(key=term))
        return queryset, False

    def name_of(self, row: Entry) -> str:
        reference = getattr(row, "reference", None)
        return f"{row.get_kind_display()} · {reference or row.shop}"

    @column(gettext_lazy("Pedido"))
    def order_word(self, entry: Entry) -> str:
        order = Order.objects.filter(pk=entry.order_id).first() if entry.order_id else None
        return link(order) if order else "–"

    @column(gettext_lazy("Pedido"))
    def order_reference(self, entry: Any) -> str:
        if not entry.reference:
            return "–"
        address = reverse("admin:orders_order_change", args=[entry.order_id])
        return format_html('<a href="{}" class="text-link">{}</a>', address, entry.reference)

    def panels(self, request: HttpRequest, obj: Entry) -> Iterable[Panel]:
        headers = (_("Cuenta"), _("Concepto"), _("Debe"), _("Haber"))
        rows = [
            (one.get_account_display(), one.get_kind_display(), *sides(one))
            for one in obj.postings.order_by("id")
        ]
        yield Panel(_("Apuntes"), headers, rows, numbers=(2, 3))


@register(Balance)
class BalanceAdmin(ReadingRoom):
    """What each shop is owed, by channel and currency."""

    list_display = ("shop_word", "channel_word", "payable")
    list_filter = (("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel")
    ordering = ("shop__name",)
    fields = ("shop_word", "channel_word", "payable")
    readonly_fields = ("shop_word", "channel_word", "payable")

    def name_of(self, row: Balance) -> str:
        return str(row.shop)

    @column(Account.PAYABLE.label, formatting="price")
    def payable(self, balance: Balance) -> str:
        return money(balance.payable_cents, balance.currency)

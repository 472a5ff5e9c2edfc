"""The operators' room of the books: entries with their postings, and what each shop is owed; only read."""

from collections.abc import Iterable

from django.http import HttpRequest
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
            link(one.entry),
            one.get_account_display(),
            one.get_kind_display(),
            *sides(one),
        )
        for one in postings[:SHOWN_IN_A_PANEL]
    ]
    return Panel(_("Asientos"), headers, rows)


def sides(posting: Posting) -> tuple[str, str]:
    """A posting as debit and credit."""
    words = money(abs(posting.amount_cents), posting.currency)
    return (words, "") if posting.amount_cents > 0 else ("", words)


ORDER_PANELS.append(entries_panel)


@register(Entry)
class EntryAdmin(ReadingRoom):
    """Entries of the books, newest first; the key finds one (SET-04)."""

    list_display = ("key", "kind", "shop_word", "channel_word", "at", "note")
    list_filter = (("kind", ChoicesDropdownFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel")
    fields = ("key", "kind", "shop_word", "channel_word", "order_word", "at", "note", "written_at")
    readonly_fields = ("shop_word", "channel_word", "order_word")
    search_fields = ("key__startswith",)
    search_help_text = gettext_lazy("El principio de la clave, como «charge:» o «statement:».")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator

    @column(gettext_lazy("Pedido"))
    def order_word(self, entry: Entry) -> str:
        order = Order.objects.filter(pk=entry.order_id).first() if entry.order_id else None
        return link(order) if order else "–"

    def panels(self, request: HttpRequest, obj: Entry) -> Iterable[Panel]:
        headers = (_("Cuenta"), _("Concepto"), _("Debe"), _("Haber"))
        rows = [
            (one.get_account_display(), one.get_kind_display(), *sides(one))
            for one in obj.postings.order_by("id")
        ]
        yield Panel(_("Apuntes"), headers, rows)


@register(Balance)
class BalanceAdmin(ReadingRoom):
    """What each shop is owed, by channel and currency."""

    list_display = ("shop_word", "channel_word", "payable")
    list_filter = (("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel")
    ordering = ("shop__name",)
    fields = ("shop_word", "channel_word", "payable")
    readonly_fields = ("shop_word", "channel_word", "payable")

    @column(Account.PAYABLE.label)
    def payable(self, balance: Balance) -> str:
        return money(balance.payable_cents, balance.currency)

"""The operators' room of the books: entries with their postings, and what each shop is owed; only read."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from ledger.models import Account, Balance, Entry, Posting
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
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

    list_display = ("key", "kind", "shop", "channel", "order_id", "at", "note")
    list_filter = (("kind", ChoicesDropdownFilter), ("shop", AutocompleteSelectFilter))
    list_select_related = ("shop", "channel")
    search_fields = ("key__startswith",)
    search_help_text = gettext_lazy("El principio de la clave, como «charge:» o «statement:».")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator

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

    list_display = ("shop", "channel", "payable")
    list_filter = ("channel", ("shop", AutocompleteSelectFilter))
    list_select_related = ("shop", "channel")
    ordering = ("shop__name",)
    fields = ("shop", "channel", "payable")
    readonly_fields = ("payable",)

    @column(Account.PAYABLE.label)
    def payable(self, balance: Balance) -> str:
        return money(balance.payable_cents, balance.currency)

"""The operators' rooms of who is paid and billed, and of who pays and bills; accounts are shown masked (SET-05)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.models import Channel
from marketplace.rooms import ChannelFilter, ReadingRoom, RoomForm, ShopFilter, act, column, register
from sellers.desk import operator, who
from settlements import payees
from settlements.forms import DetailsForm
from settlements.models import Issuer, Party, Payee

_COLUMNS = ("legal_name", "tax_id", "account", "told_at", "who_told")
_FIELDS = (
    ("legal_name", "tax_id"),
    ("street", "postal_code", "city", "country"),
    ("account", "told_at", "who_told"),
)


class PartyRoom(ReadingRoom):
    """Versions of tax and bank data; the last of each counts."""

    ordering = ("-id",)
    sortable_by = ()

    @column(gettext_lazy("IBAN"))
    def account(self, row: Party) -> str:
        return row.masked_iban

    @column(gettext_lazy("Quién"))
    def who_told(self, row: Party) -> str:
        return who(row.told_by)


@register(Payee)
class PayeeAdmin(PartyRoom):
    """How shops are paid and billed; only their owners write it."""

    list_display = ("shop_word", *_COLUMNS)
    list_filter = (("shop", ShopFilter),)
    list_select_related = ("shop",)
    search_fields = ("tax_id", "legal_name")
    fields = (("shop_word", "vat_seat"), *_FIELDS)
    readonly_fields = ("shop_word", "account", "who_told")

    def name_of(self, row: Payee) -> str:
        return f"{row.shop} · {row.masked_iban}"


class IssuerForm(RoomForm, DetailsForm):
    """Who pays and bills on a channel."""

    channel = forms.ModelChoiceField(
        Channel.objects.order_by("name"), label=gettext_lazy("Canal"), empty_label=None
    )
    field_order = ("channel",)


@register(Issuer)
class IssuerAdmin(PartyRoom):
    """Who pays and bills on each channel: what stands in the invoices, and the account that transfers leave from."""

    list_display = ("channel_word", *_COLUMNS)
    list_filter = (("channel", ChannelFilter),)
    list_select_related = ("channel",)
    fields = (("channel_word",), *_FIELDS)
    readonly_fields = ("channel_word", "account", "who_told")
    actions_list = ("write",)

    @act(gettext_lazy("Escribir los datos del operador"), icon="edit")
    def write(self, request: HttpRequest) -> HttpResponse:
        """Write down who pays and bills on a channel from now on."""
        form, back = IssuerForm(request.POST if "apply" in request.POST else None), self.address("changelist")
        title = _("Escribir los datos del operador")
        if not form.is_valid():
            return self.ask(request, form, title, back=back, status=422 if form.is_bound else 200)
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        payees.keep_issuer(form.cleaned_data["channel"], form.details, by=by, at=at)
        messages.success(request, _("Guardado."))
        return HttpResponseRedirect(back)

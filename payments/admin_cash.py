"""The operators' rooms of the couriers' cash: who holds how much since when, and what they hand over (PAY-06)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.admin_forms import provider_word
from marketplace.models import Channel
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    act,
    column,
    link,
    moment,
    money,
    register,
)
from payments import admin_lines, queries
from payments.admin_forms import RemittanceForm
from payments.couriers import Courier
from payments.models import Collection, Remittance
from payments.queries import InHand
from payments.remitting import Remitting
from sellers.desk import operator


class OwedFilter(SimpleListFilter):
    """Cash that couriers still hold, or that they have handed over."""

    title = gettext_lazy("remesa")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("En manos del mensajero")), ("no", _("Remitido"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Collection]) -> QuerySet[Collection]:
        if self.value() == "yes":
            return queryset.filter(remittance=None)
        return queryset.exclude(remittance=None) if self.value() == "no" else queryset


class CourierFilter(SimpleListFilter):
    """Rows of one courier."""

    title = gettext_lazy("mensajero")
    parameter_name = "courier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = {row.courier_key: row.courier for row in queries.in_hand()}
        return sorted(named.items(), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(courier_key=self.value())


def _list(name: str, words: object, **asked: object) -> SafeString | str:
    """A figure that leads to the rows that it counts."""
    address = f"{reverse(f'admin:payments_{name}_changelist')}?{urlencode(asked)}"
    return format_html('<a href="{}" class="text-link">{}</a>', address, words)


@register(Remittance)
class RemittanceAdmin(ReadingRoom):
    """What couriers have handed over; the page of who still holds how much, and the way to record more."""

    list_display = (
        "reference", "courier", "channel_word", "amount", "orders_count", "difference", "received_at", "recorded_by",
    )  # fmt: skip
    list_filter = (CourierFilter, ("channel", ChannelFilter))
    list_select_related = ("channel",)
    search_fields = ("=reference",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    fields = (
        ("reference", "courier", "channel_word"),
        ("amount", "orders_count", "stated", "difference"),
        ("received_at", "recorded_at", "recorded_by"),
    )
    readonly_fields = ("channel_word", "amount", "stated", "difference")
    actions_list = ("in_hand",)

    def panels(self, request: HttpRequest, obj: Remittance) -> Iterable[Panel]:
        rows = obj.collections.select_related("order", "shop").order_by("id")[:SHOWN_IN_A_PANEL]
        headers = (
            _("Pedido"), _("Tienda"), _("Importe"), _("Cobrado en la puerta"), _("Registrado"), _("Por"),
        )  # fmt: skip
        yield Panel(
            _("Pedidos"),
            headers,
            [
                (link(one.order), link(one.shop), money(one.amount_cents, one.currency),
                 moment(one.collected_at), moment(one.remitted_at), one.remitted_by or "–")
                for one in rows
            ],
            numbers=(2,),
        )  # fmt: skip

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, row: Remittance) -> str:
        return money(row.amount_cents, row.currency)

    @column(gettext_lazy("Según el mensajero"))
    def stated(self, row: Remittance) -> str:
        return money(row.stated_cents, row.currency)

    @column(gettext_lazy("Diferencia"))
    def difference(self, row: Remittance) -> str:
        off = 0 if row.stated_cents is None else row.stated_cents - row.amount_cents
        return money(off, row.currency) if off else "–"

    @act(gettext_lazy("Dinero en manos de los mensajeros"), icon="account_balance_wallet")
    def in_hand(self, request: HttpRequest) -> HttpResponse:
        """What each courier and each provider holds, each figure leading to its rows."""
        channels = Channel.objects.in_bulk()
        couriers = Panel(
            _("Mensajeros"),
            (
                _("Canal"),
                _("Mensajero"),
                _("Cobrado en la puerta"),
                _("Remitido"),
                _("Todavía debe"),
                _("Pedidos"),
                _("Desde"),
                "",
            ),
            [self._in_hand(row, channels[row.channel_id]) for row in queries.in_hand()],
            numbers=(2, 3, 4, 5),
        )
        providers = Panel(
            _("Proveedores de pagos"),
            (_("Proveedor"), _("Cobrado"), _("Devuelto"), _("En camino")),
            [
                (provider_word(row.provider),
                 _list("charge", money(row.charged_cents, row.currency), state__exact="succeeded"),
                 _list("payback", money(row.paid_back_cents, row.currency), state__exact="succeeded"),
                 money(row.under_way_cents, row.currency))
                for row in queries.at_providers()
            ],
            numbers=(1, 2, 3),
        )  # fmt: skip
        intro = _(
            "Lo cobrado en la puerta que todavía no ha llegado al banco, y lo que tienen los proveedores."
        )
        title = _("Dinero en manos de los mensajeros")
        return self.page(request, "rooms/page.html", title, panels=[couriers, providers], intro=intro)

    def _in_hand(self, row: InHand, channel: Channel) -> tuple[object, ...]:
        whose = {"channel__id__exact": row.channel_id, "courier": row.courier_key}
        record: object = ""
        if row.owed_orders:
            address = f"{reverse('admin:payments_remittance_record')}?{urlencode({'of': _of(row)})}"
            record = format_html('<a href="{}" class="text-link">{}</a>', address, _("Registrar remesa"))
        return (
            channel,
            row.courier or "–",
            _list("collection", money(row.collected_cents, row.currency), **whose),
            _list("remittance", money(row.remitted_cents, row.currency), **whose),
            _list("collection", money(row.owed_cents, row.currency), owed="yes", **whose),
            _list("collection", row.owed_orders, owed="yes", **whose),
            moment(row.oldest_at),
            record,
        )

    def get_urls(self) -> list[Any]:
        inside = self.admin_site.admin_view(self.record)
        return [path("record/", inside, name="payments_remittance_record"), *super().get_urls()]

    def record(self, request: HttpRequest) -> HttpResponse:
        """Ask what a courier hands over, show what each line will do, then do it and tell what was done (PAY-06)."""
        of = next((row for row in queries.in_hand() if _of(row) == request.GET.get("of")), None)
        back = reverse("admin:payments_remittance_in_hand")
        if of is None:
            messages.warning(request, _("Elige de qué mensajero es la remesa."))
            return HttpResponseRedirect(back)
        channel = Channel.objects.get(id=of.channel_id)
        title = _("Registrar remesa de %(courier)s") % {"courier": of.courier or "–"}
        if "seal" in request.POST:
            return admin_lines.do(
                self,
                request,
                lambda channel, about: _remitting(request, of, channel, about),
                title=title,
                back=back,
            )
        owed = Collection.objects.filter(channel=channel, courier_key=of.courier_key, remittance=None)
        form = RemittanceForm(
            *((request.POST, request.FILES) if request.method == "POST" else ()),
            channel=channel,
            owed=list(owed.select_related("order").order_by("collected_at", "id")[:SHOWN_IN_A_PANEL]),
            initial={"received_on": timezone.localdate()},
        )
        if not form.is_valid():
            status = 422 if form.is_bound else 200
            return self.ask(request, form, title, back=back, status=status, label=_("Ver qué pasará"))
        said = form.cleaned_data
        about = {
            "reference": said["reference"],
            "received_at": said["received_on"].isoformat(),
            "stated_cents": said["stated"],
        }
        remitting = _remitting(request, of, channel, about)
        return admin_lines.show(
            self, request, remitting, form.told, channel=channel, title=title, back=back, **about
        )


def _of(row: InHand) -> str:
    """A courier of a channel, as an address names it."""
    return f"{row.channel_id}:{row.courier_key}"


def _remitting(request: HttpRequest, of: InHand, channel: Channel, about: dict[str, Any]) -> Remitting:
    carrier = int(of.courier_key[1:]) if of.courier_key.startswith("#") else None
    return Remitting(
        channel,
        Courier(of.courier_key, of.courier, carrier),
        about["reference"],
        datetime.fromisoformat(about["received_at"]),
        operator(request.user),  # type: ignore[arg-type]
        timezone.now(),
        stated_cents=about["stated_cents"],
    )


@register(Collection)
class CollectionAdmin(ReadingRoom):
    """What couriers were paid at the door, order by order, and with which remittance they handed it over."""

    list_display = (
        "order_word",
        "shop_word",
        "courier",
        "channel_word",
        "amount",
        "collected_at",
        "remittance_word",
    )
    list_display_links = ("amount",)
    list_filter = (OwedFilter, CourierFilter, ("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("order", "shop", "channel", "remittance")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    fields = (
        ("order_word", "shop_word", "courier"),
        ("channel_word", "amount"),
        ("collected_at", "remittance_word"),
        ("remitted_at", "remitted_by"),
    )
    readonly_fields = ("order_word", "shop_word", "channel_word", "amount", "remittance_word")

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: Collection) -> str:
        return link(row.order)

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, row: Collection) -> str:
        return money(row.amount_cents, row.currency)

    @column(gettext_lazy("Remesa"))
    def remittance_word(self, row: Collection) -> str:
        return link(row.remittance) if row.remittance else "–"

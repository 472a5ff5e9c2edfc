"""The operators' room of deliveries that carriers could not make, over all shops (EXC-02)."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace.models import Reason, ReasonKind
from marketplace.rooms import ReadingRoom, ShopFilter, column, link, register, shortened
from orders.models import DeliveryException
from orders.telling import failed
from sellers.desk import who


class OpenFilter(SimpleListFilter):
    """Those that somebody has still to decide about."""

    title = gettext_lazy("situación")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Abiertas")), ("no", gettext_lazy("Terminadas"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeliveryException]
    ) -> QuerySet[DeliveryException]:
        if self.value() in ("yes", "no"):
            return queryset.filter(ended_at__isnull=self.value() == "yes")
        return queryset


class WhyFilter(SimpleListFilter):
    """Those of one reason of the list."""

    title = gettext_lazy("motivo")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.code, str(one)) for one in Reason.objects.filter(kind=ReasonKind.EXCEPTION)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeliveryException]
    ) -> QuerySet[DeliveryException]:
        return queryset.filter(reason_code=self.value()) if self.value() else queryset


@register(DeliveryException)
class DeliveryExceptionAdmin(ReadingRoom):
    """What carriers reported, the oldest that is open first where one looks for those."""

    list_display = (
        "order_word",
        "why_word",
        "reported_at",
        "parcel_word",
        "ended_at",
        "how_word",
        "shop_word",
    )
    list_filter = (OpenFilter, WhyFilter, ("how", ChoicesDropdownFilter), ("shop", ShopFilter))
    search_fields = ("order__reference", "shipment__tracking")
    search_help_text = gettext_lazy("El número de pedido o el de seguimiento.")
    ordering = ("reported_at", "id")
    sortable_by = ("reported_at",)
    fields = (
        "order_word", "why_word", "parcel_word", "reported_at", "by_word", "ended_at", "how_word", "shop_word",
    )  # fmt: skip
    readonly_fields = ("order_word", "why_word", "parcel_word", "by_word", "how_word", "shop_word")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliveryException]:
        rows: QuerySet[DeliveryException] = super().get_queryset(request)
        return rows.select_related("shop", "order", "shipment")

    def name_of(self, row: DeliveryException) -> str:
        return f"{row.order} · {failed(row)}"

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: DeliveryException) -> str:
        return link(row.order)

    @column(gettext_lazy("Motivo"))
    def why_word(self, row: DeliveryException) -> str:
        return shortened(failed(row))

    @column(gettext_lazy("Bulto"))
    def parcel_word(self, row: DeliveryException) -> str:
        return str(row.shipment) if row.shipment else "–"

    @column(gettext_lazy("Lo anotó"))
    def by_word(self, row: DeliveryException) -> str:
        return who(row.reported_by)

    @column(gettext_lazy("Cómo terminó"))
    def how_word(self, row: DeliveryException) -> str:
        return row.get_how_display() or "–"

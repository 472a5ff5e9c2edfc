"""The operators' room of commission rates with dates: what goes before the policy's commission, and when."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget

from marketplace.models import Channel
from marketplace.money import percent
from marketplace.rooms import ChannelFilter, Panel, Room, ShopFilter, column, money, register
from orders.admin_panels import ORDER_PANELS
from orders.models import CommissionRate, Order


def today(channel: Channel) -> date:
    """The day that it is in a channel."""
    return channel.calendar.local_day(timezone.now())


def has_begun(rate: CommissionRate) -> bool:
    """Whether orders may have been charged it already: then it is only ended, never changed."""
    return rate.from_day <= today(rate.channel)


class DayField(forms.DateField):
    """A day, picked in the browser's own calendar."""

    def __init__(self, **options: Any) -> None:
        looks = {"type": "date", "class": " ".join(INPUT_CLASSES)}
        super().__init__(widget=forms.DateInput(format="%Y-%m-%d", attrs=looks), **options)


class RateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rate; one that would count on the same day as another is refused with which one that is."""

    percent = forms.DecimalField(
        label=gettext_lazy("Comisión"), min_value=0, max_value=100, decimal_places=2, localize=True,
        help_text=gettext_lazy("En %."), widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip

    from_day = DayField(label=gettext_lazy("Desde"))
    until_day = DayField(
        label=gettext_lazy("Hasta"),
        required=False,
        help_text=gettext_lazy("El primer día en que ya no vale. Vacío: sin fin."),
    )

    class Meta:
        model = CommissionRate
        fields: ClassVar[tuple[str, ...]] = ("channel", "category", "shop", "from_day", "until_day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "percent" in self.fields:
            self.fields["percent"].initial = Decimal(self.instance.basis_points) / 100

    def clean_category(self) -> str:
        return " ".join(str(self.cleaned_data["category"]).split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("percent") is not None:
            self.instance.basis_points = int(data["percent"] * 100)
        channel = data.get("channel") or (self.instance.channel if self.instance.channel_id else None)
        from_day, until_day = data.get("from_day", self.instance.from_day), data.get("until_day")
        if channel is None or from_day is None or "until_day" in self.errors:
            return data
        if until_day is not None and until_day <= from_day:
            self.add_error("until_day", _("Tiene que ser después del primer día."))
        elif self._ends_in_the_past(until_day):
            self.add_error("until_day", _("Los días pasados ya se han cobrado así: termina hoy o después."))
        elif not self.instance.pk and from_day < today(channel):
            self.add_error("from_day", _("Empieza hoy o después: lo que ya se aceptó no cambia."))
        elif other := self._clash(channel, data, from_day, until_day):
            self.add_error("until_day" if self.instance.pk else "from_day", _clash_words(other))
        return data

    def _ends_in_the_past(self, until_day: date | None) -> bool:
        if not self.instance.pk or until_day is None or "until_day" not in self.changed_data:
            return False
        return until_day < today(self.instance.channel)

    def _clash(
        self, channel: Channel, data: dict[str, Any], from_day: date, until_day: date | None
    ) -> CommissionRate | None:
        """The rate of the same channel, category and shop that has a day in common with this one.

        The channel is locked first: of two operators who enter the same days, the second is told.
        """
        Channel.objects.select_for_update().get(pk=channel.pk)
        rows = CommissionRate.objects.filter(
            channel=channel,
            category__iexact=data.get("category", self.instance.category),
            shop=data.get("shop", self.instance.shop),
        ).exclude(pk=self.instance.pk)
        rows = rows.filter(Q(until_day=None) | Q(until_day__gt=from_day))
        if until_day is not None:
            rows = rows.filter(from_day__lt=until_day)
        return rows.order_by("from_day").first()


def _clash_words(other: CommissionRate) -> str:
    words = {"rate": percent(other.basis_points), "days": days_words(other)}
    return _("Choca con otra: %(rate)s %%, %(days)s. Termina antes esa, o elige otros días.") % words


def days_words(rate: CommissionRate) -> str:
    """From when until when a rate counts."""
    words = {"from": f"{rate.from_day:%d/%m/%Y}"}
    if rate.until_day is None:
        return _("desde el %(from)s") % words
    return _("desde el %(from)s y hasta antes del %(until)s") % {
        **words,
        "until": f"{rate.until_day:%d/%m/%Y}",
    }


class WhenFilter(SimpleListFilter):
    """Rates that count today, later, or no more, by the site's day."""

    title = gettext_lazy("cuándo")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", _("En vigor")), ("later", _("Aún no")), ("over", _("Terminadas"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        day = timezone.localdate()
        rows = {
            "now": Q(from_day__lte=day) & (Q(until_day=None) | Q(until_day__gt=day)),
            "later": Q(from_day__gt=day),
            "over": Q(until_day__lte=day),
        }.get(self.value() or "")
        return queryset.filter(rows) if rows else queryset


@register(CommissionRate)
class CommissionRateAdmin(Room):
    """Rates with dates. One that has begun is only ended; one that has not may be changed or taken out."""

    form = RateForm
    list_display = ("rate", "channel_word", "category_word", "shop_word", "days", "standing")
    list_filter = (WhenFilter, ("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("channel", "shop")
    search_fields = ("category", "shop__name", "shop__code")
    search_help_text = gettext_lazy("La categoría o la tienda.")
    autocomplete_fields = ("shop",)
    sortable_by = ()
    readonly_fields = ("rate",)

    def name_of(self, row: CommissionRate) -> str:
        return f"{percent(row.basis_points)} % · {row.channel}"

    def get_fields(self, request: HttpRequest, obj: CommissionRate | None = None) -> Any:
        own = "rate" if obj and has_begun(obj) else "percent"
        return ("channel", "category", "shop", own, "from_day", "until_day")

    def get_readonly_fields(self, request: HttpRequest, obj: CommissionRate | None = None) -> tuple[str, ...]:
        """What has begun stays as it is but for its end."""
        return ("channel", "category", "shop", "rate", "from_day") if obj and has_begun(obj) else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Whatever of the form is only read, is not asked for."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj and has_begun(obj):
            form.base_fields.pop("percent", None)
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(obj and not has_begun(obj) and self.has_view_permission(request))

    @column(gettext_lazy("Comisión"))
    def rate(self, rate: CommissionRate) -> str:
        return f"{percent(rate.basis_points)} %"

    @column(gettext_lazy("Canal"))
    def channel_word(self, rate: CommissionRate) -> str:
        return str(rate.channel)

    @column(gettext_lazy("Categoría"))
    def category_word(self, rate: CommissionRate) -> str:
        return rate.category or _("Todas")

    @column(gettext_lazy("Tienda"))
    def shop_word(self, rate: CommissionRate) -> str:
        return str(rate.shop or _("Todas"))

    @column(gettext_lazy("Días"))
    def days(self, rate: CommissionRate) -> str:
        return days_words(rate)

    @column(gettext_lazy("Estado"), label={"now": "success", "later": "info", "over": "default"})
    def standing(self, rate: CommissionRate) -> tuple[str, str]:
        day = today(rate.channel)
        if rate.from_day > day:
            return "later", _("Aún no")
        over = rate.until_day is not None and rate.until_day <= day
        return ("over", _("Terminada")) if over else ("now", _("En vigor"))


def commission_panel(order: Order) -> Panel:
    """What the commission of an order is made of, where it is not the policy's alone: every cent by its rate."""
    headers = (_("Comisión"), _("De qué"), _("Base"), _("Importe"), _("Según"))
    rates = CommissionRate.objects.select_related("shop").in_bulk(
        [part["rate"] for part in order.commission_parts if part["rate"]]
    )
    rows = []
    for part in order.commission_parts:
        rate = rates.get(part["rate"])
        rows.append(
            (f"{percent(part['basis_points'])} %", rate.category if rate and rate.category else _("Los artículos"),
             money(part["base_cents"], order.currency), money(part["cents"], order.currency),
             days_words(rate) if rate else _("la política del canal"))
        )  # fmt: skip
    return Panel(_("De qué se compone la comisión"), headers, rows, numbers=(2, 3))


ORDER_PANELS.append(commission_panel)

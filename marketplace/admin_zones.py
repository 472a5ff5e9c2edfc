"""The operators' room of zones: areas as beginnings of postal codes (EXC-04)."""

from typing import Any, ClassVar

from django import forms
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from marketplace import zones
from marketplace.admin_forms import countries
from marketplace.countries import country_word
from marketplace.models import Zone
from marketplace.rooms import Room, column, register, shortened

MOST = 500
"""How many prefixes a zone may have."""


class PrefixesField(forms.CharField):
    """Beginnings of postal codes, with blanks, commas or lines between; cleaned to a sorted list without repetition."""

    widget = UnfoldAdminTextareaWidget

    def to_python(self, value: Any) -> Any:
        words = str(value or "").replace(",", " ").replace(";", " ").split()
        prefixes = sorted({zones.folded(word) for word in words})
        for prefix in prefixes:
            if not zones.is_prefix(prefix):
                raise forms.ValidationError(
                    _("«%(word)s» no es el principio de un código postal.") % {"word": prefix}
                )
        if len(prefixes) > MOST:
            raise forms.ValidationError(_("Son más de %(n)s prefijos.") % {"n": MOST})
        return prefixes

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(str(initial or "").split()) != set(str(data or "").split())


class ZoneForm(forms.ModelForm):  # type: ignore[type-arg]
    """A zone; a prefix that another zone has is refused with which one that is."""

    country = forms.ChoiceField(label=gettext_lazy("País"), initial="ES", widget=UnfoldAdminSelectWidget)
    prefixes = PrefixesField(
        label=gettext_lazy("Prefijos"),
        help_text=gettext_lazy(
            "Cómo empiezan sus códigos postales: 280, 281, 2891. De dos zonas que encajan vale la del más largo. Un "
            "bulto que no se pudo entregar solo puede redirigirse a otro pedido de la misma zona: haz una por cada "
            "área metropolitana en la que un transportista lo lleve de una puerta a otra sin más."
        ),
    )

    class Meta:
        model = Zone
        fields: ClassVar[tuple[str, ...]] = ("code", "name", "country", "prefixes")
        exclude: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["prefixes"].initial = " ".join(
                self.instance.prefixes.values_list("prefix", flat=True)
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("country") and data.get("prefixes"):
            zones.hold_still()
            for prefix, zone in zones.taken(data["country"], data["prefixes"], but=self.instance.pk).items():
                words = {"prefix": prefix, "zone": zone}
                self.add_error("prefixes", _("%(prefix)s ya es de «%(zone)s».") % words)
        return data


class CountryFilter(SimpleListFilter):
    """Zones of one country."""

    title = gettext_lazy("país")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = Zone.objects.order_by("country").values_list("country", flat=True).distinct()
        return [(code, country_word(code)) for code in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Zone]) -> QuerySet[Zone]:
        return queryset.filter(country=self.value()) if self.value() else queryset


@register(Zone)
class ZoneAdmin(Room):
    """Areas that operators name, found by their name or by a postal code in them."""

    form = ZoneForm
    list_display = ("name", "country_name", "prefixes_word", "code")
    list_filter = (CountryFilter,)
    search_fields = ("name", "code")
    search_help_text = gettext_lazy("El nombre, o un código postal.")
    sortable_by = ("name", "code")
    fields = ("code", "name", "country", "prefixes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        rows: QuerySet[Zone] = super().get_queryset(request).prefetch_related("prefixes")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Zone], search_term: str
    ) -> tuple[QuerySet[Zone], bool]:
        """By name or code; what has a digit in it, by the prefixes that a postal code like it begins with."""
        term = search_term.strip()
        if any(letter.isdigit() for letter in term):
            own = Zone.objects.filter(
                Q(prefixes__prefix__in=zones.beginnings(term))
                | Q(prefixes__prefix__startswith=zones.folded(term))
            )
            return queryset.filter(Q(pk__in=own.values("pk")) | Q(code__iexact=term)), False
        found, twice = super().get_search_results(request, queryset, search_term)
        return found, bool(twice)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def save_model(self, request: HttpRequest, obj: Zone, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        zones.set_prefixes(obj, form.cleaned_data["prefixes"])

    @column(gettext_lazy("País"), ordering="country")
    def country_name(self, zone: Zone) -> str:
        return country_word(zone.country)

    @column(gettext_lazy("Prefijos"))
    def prefixes_word(self, zone: Zone) -> str:
        return shortened(" ".join(one.prefix for one in zone.prefixes.all()))

"""Forms of the rooms on the ground: a channel with its calendar and its provider, carriers."""

import re
from datetime import date
from typing import Any, ClassVar
from unicodedata import combining, normalize

import holidays
from django import forms
from django.utils.dateparse import parse_date
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from marketplace import tracking
from marketplace.countries import country_word
from marketplace.models import Carrier, Channel
from marketplace.policy import PRESETS, Preset
from marketplace.policy_words import PRESET_LABELS

PROVIDERS = "payments.providers.PROVIDERS"
RESERVED = "other"
"""The code that stands for a carrier outside the list where sellers hand parcels over."""

PROVIDER_FLAW = "payments.providers.flaw"

PROVIDER_WORDS = {
    "sandbox": gettext_lazy("Proveedor de pruebas"),
    "stripe": "Stripe",
    "transfer": gettext_lazy("Transferencia"),
}


def provider_word(code: str) -> str:
    """What a payment provider is called; one without a name of ours keeps its code."""
    return str(PROVIDER_WORDS.get(code, code))


_CALENDAR_FIELDS = ("timezone", "country", "region")


def countries() -> list[tuple[str, str]]:
    """The countries whose public holidays are known, by name."""
    named = [(code, country_word(code)) for code in holidays.list_supported_countries(include_aliases=False)]
    return sorted(named, key=lambda one: _plain(one[1]))


def _plain(word: str) -> str:
    """A word without its accents, so that it sorts among the others."""
    return "".join(letter for letter in normalize("NFKD", word.lower()) if not combining(letter))


class DaysField(forms.CharField):
    """Days, one a line, as 2026-12-24 or 24/12/2026; cleaned to a sorted list of dates without repetition."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(day.isoformat() if isinstance(day, date) else str(day) for day in value)
        return value

    def to_python(self, value: Any) -> Any:
        words = str(value or "").replace(",", "\n").split()
        return sorted({self._day(word) for word in words})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(sorted(initial or []) != self.to_python(data))
        except forms.ValidationError:
            return True

    @staticmethod
    def _day(word: str) -> date:
        try:
            day = parse_date(word) or forms.DateField(input_formats=["%d/%m/%Y"]).to_python(word)
        except (ValueError, forms.ValidationError):
            day = None
        if day is None:
            raise forms.ValidationError(_("«%(word)s» no es una fecha.") % {"word": word})
        return day


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel; a calendar or a provider that does not exist is refused beside its field."""

    closing_days = DaysField(
        label=gettext_lazy("Festivos propios"),
        required=False,
        help_text=gettext_lazy("Una fecha por línea, como 2026-12-24 o 24/12/2026."),
    )
    provider = forms.ChoiceField(label=gettext_lazy("Proveedor de pagos"), widget=UnfoldAdminSelectWidget)
    country = forms.ChoiceField(label=gettext_lazy("País"), initial="ES", widget=UnfoldAdminSelectWidget)
    preset = forms.ChoiceField(
        label=gettext_lazy("Política de partida"),
        choices=[(preset.value, PRESET_LABELS.get(preset, preset.value)) for preset in PRESETS],
        initial=Preset.ACCEPT_FIRST.value,
        widget=UnfoldAdminSelectWidget,
        required=False,
    )

    class Meta:
        model = Channel
        fields: ClassVar[tuple[str, ...]] = (
            "code", "name", "currency", "timezone", "country", "region", "closing_days", "provider",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "country" in self.fields:
            self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        if "provider" in self.fields:
            known = [(code, provider_word(code)) for code in import_string(PROVIDERS)]
            self.fields["provider"].choices = known  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if not re.fullmatch("[A-Z]{3}", currency):
            raise forms.ValidationError(_("Una moneda son tres letras, como EUR."))
        return currency

    def clean_region(self) -> str:
        return str(self.cleaned_data["region"]).upper()

    def clean_provider(self) -> str:
        """A provider that this channel could not be paid through is refused, with what is missing."""
        code = str(self.cleaned_data["provider"])
        channel = self.cleaned_data.get("code") or self.instance.code
        currency = self.cleaned_data.get("currency") or self.instance.currency
        if channel and (why := import_string(PROVIDER_FLAW)(code, channel=channel, currency=currency)):
            raise forms.ValidationError(why)
        return code

    def clean(self) -> dict[str, Any]:
        """Try the calendar field by field, so that the flaw is said where it is."""
        data = super().clean() or {}
        given = {name: data.get(name, "") for name in _CALENDAR_FIELDS}
        if not given["timezone"] or not given["country"]:
            return data
        somewhere = {"timezone": "UTC", "country": "ES", "region": ""}
        land = {**somewhere, "country": given["country"]}
        tries = (
            ("timezone", {**somewhere, "timezone": given["timezone"]}, _("No existe esa zona horaria.")),
            ("country", land, _("No se conoce el calendario de ese país.")),
            ("region", {**land, "region": given["region"]}, _("Ese país no tiene esa región.")),
        )
        for name, place, flaw in tries:
            try:
                Channel(**place).calendar  # noqa: B018
            except ValueError:
                self.add_error(name, flaw)
                break
        return data


class CarrierForm(forms.ModelForm):  # type: ignore[type-arg]
    """A carrier; its pattern is a regular expression, and its address has a place for the number."""

    class Meta:
        model = Carrier
        fields: ClassVar[tuple[str, ...]] = ("code", "name", "tracking_url", "tracking_pattern", "active")

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if code.lower() == RESERVED:
            raise forms.ValidationError(_("Ese código está reservado para «Otro»."))
        return code

    def clean_tracking_pattern(self) -> str:
        pattern = str(self.cleaned_data["tracking_pattern"])
        if why := tracking.flaw(pattern):
            raise forms.ValidationError(why)
        return pattern

    def clean_tracking_url(self) -> str:
        address = str(self.cleaned_data["tracking_url"])
        if address and not address.startswith(("https://", "http://")):
            raise forms.ValidationError(_("El enlace empieza por https://."))
        if address and "{tracking}" not in address:
            raise forms.ValidationError(_("Falta {tracking} donde va el número."))
        if re.search("[{}]", address.replace("{tracking}", "", 1)):
            raise forms.ValidationError(_("{tracking} va una sola vez y sin otras llaves."))
        return address

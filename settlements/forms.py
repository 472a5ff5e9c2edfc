"""The form of who is paid and billed."""

from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.countries import countries
from settlements.payees import Details, NotRight, checked


class DetailsForm(forms.Form):
    """Tax data and bank account; `details` is what was typed, once it is right."""

    legal_name = forms.CharField(label=_("Nombre o razón social"), max_length=120)
    tax_id = forms.CharField(label=_("NIF o número de IVA"), max_length=20)
    street = forms.CharField(label=_("Dirección fiscal"), max_length=120)
    postal_code = forms.CharField(label=_("Código postal"), max_length=12)
    city = forms.CharField(label=_("Ciudad"), max_length=60)
    country = forms.ChoiceField(label=_("País"), choices=countries, initial="ES")
    iban = forms.CharField(label=_("IBAN"), max_length=45)

    details: Details

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.details = checked(Details(**{one.name: data[one.name] for one in fields(Details)}))
            except NotRight as wrong:
                for name, words in wrong.flaws:
                    self.add_error(name, words)
        return data

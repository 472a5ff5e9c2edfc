"""What people type to send a parcel out again that could not be delivered (EXC-03)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.lettering import visible
from orders.models import Order
from orders.services import Correction, flaws_of
from orders.services.returning import CORRECTED

_FLAWS = {
    "street": _("Escribe la calle y el número."),
    "city": _("Escribe la ciudad."),
    "postal_code": _("No es un código postal de ese país."),
    "customer_phone": _("No parece un teléfono que se pueda marcar."),
}


class RetryForm(forms.Form):
    """Where the order goes and how to get there, filled with what it says; what comes back different is a correction.

    A part that is not sent at all stays as it is, so that one click without the form only sends it out again.
    """

    street = forms.CharField(max_length=200, required=False)
    postal_code = forms.CharField(max_length=16, required=False)
    city = forms.CharField(max_length=80, required=False)
    region = forms.CharField(max_length=80, required=False)
    customer_phone = forms.CharField(max_length=40, required=False)
    courier_note = forms.CharField(max_length=200, required=False)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data)
        self.order = order

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        sent = {name: visible(given.get(name) or "") for name in CORRECTED if name in self.data}
        said = {name: value for name, value in sent.items() if value != getattr(self.order, name)}
        self.correction = Correction(**said) if said and not self.errors else None
        if self.correction is not None:
            for name in flaws_of(self.order.country, self.correction):
                self.add_error(name, _FLAWS.get(name, _("No puede ser así.")))
        return given

    def shown(self, name: str) -> str:
        """What stands in a box: what was sent, or what the order says."""
        return str(self.data.get(name, getattr(self.order, name)))

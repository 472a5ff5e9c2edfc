"""What an operator says with an act on the payment of an order."""

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy

from marketplace.refusals import Outcome
from orders.admin_forms import VerbForm
from orders.signals import Moved
from orders.states import Verb
from payments import beforehand
from sellers.desk import Actor


class ConfirmPaymentForm(VerbForm):
    """Say that the customer has paid beforehand, and what the bank or the provider calls it (ORD-07)."""

    verb = Verb.CONFIRM_PAYMENT
    reference = forms.CharField(
        label=gettext_lazy("Referencia del pago"),
        max_length=120,
        help_text=gettext_lazy("Como la llama el banco o el proveedor: con ella se encuentra el dinero."),
    )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return beforehand.confirm(dict.fromkeys(order_ids, self.cleaned_data["reference"]), by=by, at=at)

"""What operators say of money: that an order was paid, what a courier hands over, what the bank lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from marketplace.models import Channel
from marketplace.money import NotMoney, parse
from marketplace.refusals import Outcome
from marketplace.rooms import RoomForm, moment, money
from orders.admin_forms import VerbForm
from orders.intake.files import Unreadable
from orders.signals import Moved
from orders.states import Verb
from payments import admin_lines, beforehand
from payments.admin_lines import TooMuch, too_many
from payments.intake.reading import CASH, LONGEST, PAID, cash_typed
from payments.models import Collection
from payments.remitting import Cash
from sellers.desk import Actor

_OLDEST_REMITTANCE = timedelta(days=2 * 365)


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


class RemittanceForm(RoomForm):
    """What a courier hands over: its number, when it came, and of which orders it is."""

    reference = forms.CharField(
        label=gettext_lazy("Referencia de la remesa"),
        max_length=LONGEST,
        help_text=gettext_lazy("Como la llama el mensajero. La misma, dos veces, es una."),
    )
    received_on = forms.DateField(
        label=gettext_lazy("Recibida el"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    stated = forms.CharField(
        label=gettext_lazy("Importe según el mensajero"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("Si lo dice. Se compara con la suma de sus pedidos."),
    )
    orders = forms.MultipleChoiceField(
        label=gettext_lazy("Pedidos que todavía debe"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    lines = forms.CharField(
        label=gettext_lazy("O su lista"),
        required=False,
        strip=False,
        max_length=admin_lines.MOST_BYTES,
        widget=forms.Textarea({"rows": 5}),
        help_text=gettext_lazy(
            "Un número de pedido o de seguimiento por línea; detrás, si quieres, ; y el importe."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("O su fichero CSV"),
        required=False,
        help_text=gettext_lazy("Con las columnas reference y amount."),
    )

    def __init__(self, *args: Any, channel: Channel, owed: Sequence[Collection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._channel = channel
        self.told: list[Any] = []
        self.at: datetime = timezone.now()
        choices: Any = self.fields["orders"]
        choices.choices = [
            (row.order.reference, _owed_words(row))
            for row in owed
        ]  # fmt: skip
        if not owed:
            del self.fields["orders"]

    def clean_stated(self) -> int | None:
        words = self.cleaned_data["stated"].strip()
        if not words:
            return None
        try:
            return parse(words, self._channel.currency) or None
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error

    def clean_received_on(self) -> datetime:
        """The day begins where the channel is; it is not in the future."""
        day = self.cleaned_data["received_on"]
        begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self._channel.timezone))
        if begins > self.at:
            raise forms.ValidationError(_("Está en el futuro."))
        if begins < self.at - _OLDEST_REMITTANCE:
            raise forms.ValidationError(_("Es de hace más de dos años."))
        return begins

    def clean(self) -> dict[str, Any]:
        """Read the orders from the one place where they were said."""
        data: dict[str, Any] = super().clean() or {}
        chosen, typed, file = data.get("orders") or (), (data.get("lines") or "").strip(), data.get("file")
        if sum(map(bool, (chosen, typed, file))) != 1:
            raise forms.ValidationError(
                _("Di los pedidos de una sola manera: marcados, en una lista o en un fichero.")
            )
        try:
            if file:
                self.told = admin_lines.of_file(file, CASH, self._channel, at=self.at)
            elif typed:
                self.told = list(cash_typed(data["lines"], self._channel))
            else:
                self.told = [Cash(n, reference, None) for n, reference in enumerate(chosen, 1)]
        except (TooMuch, Unreadable) as error:
            raise forms.ValidationError(str(error)) from error
        if len(self.told) > admin_lines.AT_MOST:
            raise forms.ValidationError(too_many())
        return data


def _owed_words(row: Collection) -> str:
    return f"{row.order.reference} · {money(row.amount_cents, row.currency)} · {moment(row.collected_at)}"


class PaymentsForm(RoomForm):
    """A file of payments, as the bank or the provider lists them (ORD-07)."""

    channel = forms.ModelChoiceField(Channel.objects.order_by("name"), label=gettext_lazy("Canal"))
    file = forms.FileField(
        label=gettext_lazy("Fichero CSV"),
        help_text=gettext_lazy(
            "Con las columnas order, amount, payment_reference y date; currency, si quieres."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: list[Any] = []

    def clean(self) -> dict[str, Any]:
        """Read the file."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("channel") and data.get("file"):
            try:
                self.told = admin_lines.of_file(data["file"], PAID, data["channel"], at=timezone.now())
            except (TooMuch, Unreadable) as error:
                self.add_error("file", str(error))
        return data

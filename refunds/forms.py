"""What people type about a refund, checked for its form; what it comes to, and whether it may be, the services say."""

import uuid
from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace import money
from marketplace.lettering import visible
from marketplace.models import Reason
from marketplace.reasons import OTHER, Why
from messaging.models import Message
from orders.models import Line
from refunds.amounts import Left, Part
from refunds.refunding import LONGEST_AGREEMENT, LONGEST_NOTE, Wish

TOTAL, DETAILED = "total", "detailed"
_LONGEST_NUMBER = 14


class Amount(forms.CharField):
    """An amount in a currency, as cents; nothing typed is nothing."""

    def __init__(self, currency: str) -> None:
        super().__init__(required=False, max_length=_LONGEST_NUMBER)
        self.currency = currency

    def clean(self, value: Any) -> int:
        text = str(super().clean(value)).strip()
        if not text:
            return 0
        try:
            return money.parse(text, self.currency)
        except money.NotMoney as flaw:
            raise forms.ValidationError(str(flaw)) from flaw


class RefundForm(forms.Form):
    """A refund of all that is left, or of what is typed beside each line; why, and what was agreed (REF-02, REF-03).

    `key` is of this form: sent twice it is one refund. `said` are the messages in one of which it can have been agreed
    (REF-08).
    """

    how = forms.ChoiceField(choices=[(TOTAL, _("Total")), (DETAILED, _("Detallado"))])
    key = forms.UUIDField()
    reason = forms.CharField(required=False)
    note = forms.CharField(max_length=LONGEST_NOTE, required=False)
    agreed = forms.CharField(max_length=LONGEST_AGREEMENT, required=False)
    agreed_in = forms.IntegerField(required=False)
    cover = forms.BooleanField(required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        lines: Collection[Line],
        left: dict[int, Left],
        reasons: Collection[Reason],
        said: Collection[Message] = (),
        currency: str,
    ) -> None:
        super().__init__(data)
        self.said = {message.id: message for message in said}
        self.lines = [line for line in lines if line.id in left]
        self.left, self.reasons, self.currency = left, reasons, currency
        for line_id, one in left.items():
            self.fields[f"units_{line_id}"] = forms.IntegerField(
                required=False, min_value=0, max_value=one.units
            )
            self.fields[f"goods_{line_id}"] = Amount(currency)
            self.fields[f"shipping_{line_id}"] = Amount(currency)

    @property
    def chosen(self) -> str:
        """Which of the two ways stands in the form, as it was sent or for the first time."""
        return str(self.data.get("how") or TOTAL)

    def shown(self, name: str) -> str:
        """What was typed into a box of a line."""
        return str(self.data.get(name, ""))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        code, note = given.get("reason") or "", visible(given.get("note") or "")
        if code not in {reason.code for reason in self.reasons}:
            self.add_error("reason", _("Elige un motivo."))
        elif code == OTHER and not note and "note" not in self.errors:
            self.add_error("note", _("Di cuál es el motivo."))
        self.why = Why(code, note)
        return given

    @property
    def parts(self) -> list[Part] | None:
        """What is to go back, by line; None for all that is left. A line of which only the units were typed goes back
        at its price."""
        if self.cleaned_data.get("how") != DETAILED:
            return None
        return [part for line_id in self.left if (part := self._part(line_id)).units or part.cents]

    def _part(self, line_id: int) -> Part:
        given = self.cleaned_data
        units = given.get(f"units_{line_id}")
        goods, shipping = given.get(f"goods_{line_id}") or 0, given.get(f"shipping_{line_id}") or 0
        if (
            units is None
        ):  # a discount on what the customer keeps is of one unit, unless it is said of how many
            units = 1 if goods or shipping else 0
        elif units and not str(self.data.get(f"goods_{line_id}", "")).strip() and not shipping:
            goods = self.left[line_id].usual_goods(units)
        return Part(line_id, units, goods, shipping)

    @property
    def wish(self) -> Wish:
        given = self.cleaned_data
        return Wish(
            given["key"],
            self.why,
            self.parts,
            visible(given.get("agreed") or ""),
            self.said.get(given.get("agreed_in") or 0),
            cover=given["cover"],
        )


def fresh_key() -> str:
    """The key of a form that is shown for the first time."""
    return str(uuid.uuid4())

"""What people type about incidents, checked for its form; whether it may be done the services say."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.services.verbs import LONGEST_REASON
from marketplace.lettering import visible
from marketplace.models import Reason
from marketplace.reasons import Why
from messaging.conversing import LONGEST


class ResolveForm(forms.Form):
    """How an incident was solved: a reason of the list, a note, and a message to the operator (INC-04)."""

    reason = forms.CharField(required=False)
    note = forms.CharField(max_length=LONGEST_REASON, required=False)
    message = forms.CharField(max_length=LONGEST, required=False)

    def __init__(self, data: Any = None, *, reasons: Sequence[Reason], asks_message: bool) -> None:
        super().__init__(data)
        self.reasons, self.asks_message = reasons, asks_message

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        code, note = given.get("reason", ""), visible(given.get("note") or "")
        if code not in {reason.code for reason in self.reasons}:
            self.add_error("reason", _("Di cómo se ha solucionado."))
        elif code == "other" and not note and "note" not in self.errors:
            self.add_error("note", _("Di cómo se ha solucionado."))
        if self.asks_message and not visible(given.get("message") or "") and "message" not in self.errors:
            self.add_error("message", _("Escribe al operador cómo se ha solucionado."))
        self.why = Why(code, note)
        return given

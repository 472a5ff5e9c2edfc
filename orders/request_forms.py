"""What people type when they ask for an act that they may not do, and when they answer (ROL-05)."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.lettering import visible
from marketplace.models import Reason
from marketplace.reasons import Why
from orders.forms import reason_of
from orders.states import HoldKind

LONGEST_ANSWER = 300


class AskForm(forms.Form):
    """An act that is asked for, `kind` for the hold that it is about, and why: a reason of the list or one's own words.

    Without `needs_reason` the words may stay empty.
    """

    kind = forms.ChoiceField(choices=HoldKind.choices, required=False)
    reason = forms.CharField(required=False)
    note = forms.CharField(max_length=160, required=False)

    def __init__(self, data: Any = None, *, reasons: Sequence[Reason], needs_reason: bool) -> None:
        super().__init__(data)
        self.reasons, self.needs_reason = reasons, needs_reason

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.needs_reason:
            self.why = reason_of(given, "reason", "note", self.reasons)
            if not self.why:
                self.add_error("reason", _("Elige un motivo o escríbelo."))
        else:
            self.why = Why(note=visible(str(given.get("note") or "")))
        return given

    @property
    def facts(self) -> dict[str, str]:
        kind = self.cleaned_data.get("kind")
        return {"kind": kind} if kind else {}


class AnswerForm(forms.Form):
    """Why not, or a word with a yes."""

    answer = forms.CharField(max_length=LONGEST_ANSWER, required=False)

    def __init__(self, data: Any = None, *, needed: bool = False) -> None:
        super().__init__(data)
        self.needed = needed

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        given["answer"] = visible(str(given.get("answer") or ""))
        if self.needed and not given["answer"] and "answer" not in self.errors:
            self.add_error("answer", _("Di por qué no."))
        return given

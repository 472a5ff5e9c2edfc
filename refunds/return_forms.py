"""What people type about a return, checked for its form; whether it may be done the services say."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.lettering import visible
from marketplace.models import Carrier, Reason
from marketplace.policy import Settings
from marketplace.reasons import OTHER, Why
from messaging.conversing import LONGEST
from messaging.file_fields import FilesField
from refunds.models import ReturnLine
from refunds.return_ends import Replacement
from refunds.return_verbs import LONGEST_ANSWER, LONGEST_FLAW, LONGEST_NAME


class HowForm(forms.Form):
    """How the customer sends it: in words, with a label as a file, or both; `needed` where one of them has to be."""

    instructions = forms.CharField(max_length=LONGEST, required=False)

    def __init__(self, data: Any = None, files: Any = None, *, rules: Settings, needed: bool) -> None:
        super().__init__(data, files)
        self.needed = needed
        self.fields["files"] = FilesField(rules, label=_("Etiqueta o documento"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        said = visible(given.get("instructions") or "") or given.get("files") or "files" in self.errors
        if self.needed and not said:
            self.add_error("instructions", _("Di cómo te lo manda, o pon una etiqueta."))
        return given


class NoForm(forms.Form):
    """Why a return is not taken: a reason of the list, and an answer to the customer."""

    reason = forms.CharField(required=False)
    answer = forms.CharField(max_length=LONGEST_ANSWER, required=False)

    def __init__(self, data: Any = None, *, reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.reasons = reasons

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        code = given.get("reason", "")
        if code not in {reason.code for reason in self.reasons}:
            self.add_error("reason", _("Elige un motivo."))
        elif code == OTHER and not visible(given.get("answer") or "") and "answer" not in self.errors:
            self.add_error("answer", _("Di al cliente cuál es el motivo."))
        self.why = Why(code)
        return given


class InspectForm(forms.Form):
    """How many units of each line came back as they were sent, and what is wrong with the others."""

    def __init__(self, data: Any = None, *, lines: Sequence[ReturnLine]) -> None:
        super().__init__(data)
        self.lines = lines
        for one in lines:
            says = _("Escribe un número entre 0 y %(most)s.") % {"most": one.units}
            messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), says)
            self.fields[f"good_{one.line_id}"] = forms.IntegerField(
                min_value=0, max_value=one.units, error_messages=messages
            )
            self.fields[f"flaw_{one.line_id}"] = forms.CharField(max_length=LONGEST_FLAW, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for one in self.lines:
            name = f"flaw_{one.line_id}"
            good, flaw = given.get(f"good_{one.line_id}"), visible(given.get(name) or "")
            if good is not None and good < one.units and not flaw and name not in self.errors:
                self.add_error(name, _("Di qué les pasa a las demás: el cliente lo lee."))
        return given

    @property
    def good(self) -> dict[int, int]:
        return {one.line_id: self.cleaned_data[f"good_{one.line_id}"] for one in self.lines}

    @property
    def flaws(self) -> dict[int, str]:
        return {one.line_id: visible(self.cleaned_data[f"flaw_{one.line_id}"]) for one in self.lines}


class ReplaceForm(forms.Form):
    """The parcel of a replacement: a carrier of the list or another by name, and its number."""

    carrier = forms.CharField(error_messages={"required": _("Elige el transportista.")})
    carrier_name = forms.CharField(max_length=LONGEST_NAME, required=False)
    tracking = forms.CharField(max_length=LONGEST_NAME, required=False)

    def __init__(self, data: Any = None, *, carriers: Sequence[Carrier], free_text: bool) -> None:
        super().__init__(data)
        self.carriers, self.free_text = carriers, free_text

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen, name = given.get("carrier"), visible(given.get("carrier_name") or "")
        carrier = next((one for one in self.carriers if one.code == chosen), None)
        if chosen == OTHER and self.free_text:
            if not name and "carrier_name" not in self.errors:
                self.add_error("carrier_name", _("Escribe el nombre del transportista."))
        elif chosen and carrier is None:
            self.add_error("carrier", _("Elige un transportista de la lista."))
        self.parcel = Replacement(carrier, "" if carrier else name, visible(given.get("tracking") or ""))
        return given


class NothingForm(forms.Form):
    """An act that asks for nothing but the click."""

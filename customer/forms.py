"""What a customer types on the pages of their order, checked for its form."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.lettering import visible
from marketplace.models import Reason
from marketplace.policy import Settings
from marketplace.reasons import OTHER
from messaging.conversing import LONGEST
from messaging.file_fields import FilesField
from orders.models import LONGEST_INVOICE_TO, Line
from quality.models import LONGEST_REVIEW, STARS
from refunds import returns
from refunds.return_verbs import LONGEST_NAME
from refunds.returns import Left

LONGEST_REASON = 160


class MessageForm(forms.Form):
    """A message to the shop: in a conversation (`thread`), or in a new one for a reason of the list; words, files, or
    both (MSG-13)."""

    text = forms.CharField(
        max_length=LONGEST,
        required=False,
        error_messages={"max_length": _("El mensaje es demasiado largo: caben %(limit_value)d letras.")},
    )
    thread = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    reason = forms.CharField(required=False)

    def __init__(
        self, data: Any = None, files: Any = None, *, reasons: Sequence[Reason], rules: Settings
    ) -> None:
        super().__init__(data, files)
        self.reasons, self.rules = reasons, rules
        self.fields["files"] = FilesField(rules, label=_("Fotos o archivos"))

    def clean_text(self) -> str:
        return visible(str(self.cleaned_data["text"]))

    def clean_reason(self) -> str:
        given = str(self.cleaned_data["reason"])
        return given if given in {reason.code for reason in self.reasons} else ""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not given.get("text") and not given.get("files"):
            self.add_error("text", _("Escribe algo."))
        return given


class CancelForm(forms.Form):
    """Why the customer wants no more of it, if they care to say."""

    why = forms.CharField(
        max_length=LONGEST_REASON,
        required=False,
        error_messages={"max_length": _("Es demasiado largo: caben %(limit_value)d letras.")},
    )


class ReviewForm(forms.Form):
    """How it was: stars, and words if there are any (REV-03)."""

    stars = forms.TypedChoiceField(
        choices=[(str(n), str(n)) for n in STARS],
        coerce=int,
        error_messages={
            "required": _("Elige cuántas estrellas."),
            "invalid_choice": _("Elige cuántas estrellas."),
        },
    )
    text = forms.CharField(
        max_length=LONGEST_REVIEW,
        required=False,
        error_messages={"max_length": _("Es demasiado largo: caben %(limit_value)d letras.")},
    )

    def clean_text(self) -> str:
        return visible(str(self.cleaned_data["text"]))


class ClaimForm(forms.Form):
    """What went wrong, with which lines (INC-01)."""

    reason = forms.CharField(error_messages={"required": _("Elige qué ha pasado.")})
    text = forms.CharField(
        max_length=LONGEST,
        required=False,
        error_messages={"max_length": _("Es demasiado largo: caben %(limit_value)d letras.")},
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        lines: Sequence[Line],
        reasons: Sequence[Reason],
        rules: Settings,
    ) -> None:
        super().__init__(data, files)
        self.lines, self.reasons = lines, reasons
        self.fields["files"] = FilesField(rules, label=_("Fotos o archivos"))
        for line in lines:
            self.fields[f"line_{line.id}"] = forms.BooleanField(required=False)

    def clean_reason(self) -> str:
        given = str(self.cleaned_data["reason"])
        if given not in {reason.code for reason in self.reasons}:
            raise forms.ValidationError(_("Elige qué ha pasado."))
        return given

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.chosen:
            self.add_error(None, _("Di con qué artículo."))
        if given.get("reason") == OTHER and not visible(str(given.get("text", ""))):
            self.add_error("text", _("Cuenta qué ha pasado."))
        return given

    @property
    def chosen(self) -> list[int]:
        """The ids of the lines that it is about; of an order of one line, that one."""
        if len(self.lines) == 1:
            return [self.lines[0].id]
        return [line.id for line in self.lines if self.cleaned_data.get(f"line_{line.id}")]


class ReturnForm(forms.Form):
    """Which units of which lines go back, and why."""

    reason = forms.CharField(error_messages={"required": _("Elige un motivo.")})
    text = forms.CharField(
        max_length=returns.LONGEST,
        required=False,
        error_messages={"max_length": _("Es demasiado largo: caben %(limit_value)d letras.")},
    )

    def __init__(self, data: Any = None, *, left: Sequence[Left], reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.left, self.reasons = left, reasons
        for one in left:
            says = _("Escribe un número entre 0 y %(most)s.") % {"most": one.units}
            self.fields[f"units_{one.line.id}"] = forms.IntegerField(
                min_value=0,
                max_value=one.units,
                required=False,
                error_messages={"invalid": says, "min_value": says, "max_value": says},
            )

    def clean_reason(self) -> str:
        given = str(self.cleaned_data["reason"])
        if given not in {reason.code for reason in self.reasons}:
            raise forms.ValidationError(_("Elige un motivo."))
        return given

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not self.units:
            self.add_error(None, _("Di cuántas unidades quieres devolver."))
        return given

    @property
    def units(self) -> dict[int, int]:
        """Line ids and the units of each that go back."""
        said = {one.line.id: self.cleaned_data.get(f"units_{one.line.id}") for one in self.left}
        return {line_id: units for line_id, units in said.items() if units}


class InvoiceForm(forms.Form):
    """Whom an invoice is made out to: name, tax number and address, in the customer's own lines (DOC-02)."""

    made_out_to = forms.CharField(error_messages={"required": _("Escribe a nombre de quién va.")})

    def clean_made_out_to(self) -> str:
        lines = (" ".join(line.split()) for line in visible(self.cleaned_data["made_out_to"]).splitlines())
        words = "\n".join(filter(None, lines))
        if not words:
            raise forms.ValidationError(_("Escribe a nombre de quién va."))
        if len(words) > LONGEST_INVOICE_TO:
            told = {"limit_value": LONGEST_INVOICE_TO}
            raise forms.ValidationError(_("Es demasiado largo: caben %(limit_value)d letras.") % told)
        return words


class SentForm(forms.Form):
    """How something was sent back; both can stay empty."""

    carrier = forms.CharField(max_length=LONGEST_NAME, required=False)
    tracking = forms.CharField(max_length=LONGEST_NAME, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        return {name: visible(str(given.get(name) or "")) for name in ("carrier", "tracking")}

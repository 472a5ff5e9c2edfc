"""What people write in the conversations of an order, and when their shop is closed; services say what may be."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.files import Checked
from marketplace.lettering import visible
from marketplace.models import Reason
from marketplace.policy import Settings
from marketplace.refusals import Code
from messaging.composing import CODES, Choice
from messaging.conversing import LONGEST, Words
from messaging.file_fields import FilesField
from messaging.filling import Fills
from messaging.invoices import is_paper, rules_of_papers
from messaging.recipients import To
from messaging.shop_days import Closing

LONGEST_SUBJECT = 120


class MessageForm(Fills):
    """A message and whom it is for; `thread_id` is the conversation that it is written in, 0 for a new one. With
    `owes` it can be said of it that it is the invoice which the customer asked for (DOC-02)."""

    to = forms.ChoiceField(
        error_messages={
            "required": _("Elige a quién escribes."),
            "invalid_choice": _("Elige a quién escribes."),
        }
    )
    text = forms.CharField(
        max_length=LONGEST,
        required=False,
        error_messages={"max_length": _("El mensaje es demasiado largo.")},
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        choices: Sequence[Choice],
        rules: Settings | None = None,
        thread_id: int = 0,
        owes: bool = False,
        **told: Any,
    ) -> None:
        prefix = f"t{thread_id}"
        super().__init__(data, files, auto_id=f"{prefix}_%s", **told)
        self.choices, self.thread_id = choices, thread_id
        self.fields["to"].choices = [(one.code, one.label) for one in choices]  # type: ignore[attr-defined]
        if rules is not None and rules.attachments_most:
            self.fields["files"] = FilesField(rules)
            if owes and any(choice.to.customer for choice in choices):
                self.fields["invoice"] = forms.BooleanField(
                    required=False, label=_("Es la factura que pidió el cliente")
                )

    def clean_text(self) -> str:
        text = super().clean_text()
        if not text and not self.files:
            raise forms.ValidationError(_("Escribe el mensaje."))
        return text

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("invoice") and not self.errors:
            if not CODES[given["to"]].customer:
                self.add_error("invoice", _("La factura es para el cliente: elige que lo lea."))
            elif not given["files"] or not all(is_paper(file.kind) for file in given["files"]):
                self.add_error("invoice", Code.NO_INVOICE_FILE.label)
        return given

    @property
    def is_invoice(self) -> bool:
        """Whether the message is the invoice that the customer asked for."""
        return bool(self.cleaned_data.get("invoice"))

    @property
    def words(self) -> Words:
        """What is said, with the files that passed the gate."""
        return Words(self.cleaned_data["text"], files=self.cleaned_data.get("files") or ())

    @property
    def recipient(self) -> To:
        return CODES[self.cleaned_data["to"]]

    @property
    def chosen(self) -> str:
        """The recipient as it stands in the form: what was sent, else the likely one."""
        given = str(self["to"].value() or "")
        return given if given in {one.code for one in self.choices} else self.choices[0].code


class StartForm(MessageForm):
    """The first message of a conversation, with its reason for contact or its subject (MSG-02)."""

    reason = forms.CharField(required=False)
    subject = forms.CharField(
        max_length=LONGEST_SUBJECT,
        required=False,
        error_messages={"max_length": _("Son demasiadas letras: 120 como mucho.")},
    )

    field_order = ("to", "reason", "subject", "text")

    def __init__(
        self, data: Any = None, files: Any = None, *, reasons: Sequence[Reason], **told: Any
    ) -> None:
        super().__init__(data, files, **told)
        self.reasons = reasons

    def clean_subject(self) -> str:
        return " ".join(visible(self.cleaned_data["subject"]).split())

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        code = given.get("reason") or ""
        if code and code not in {reason.code for reason in self.reasons}:
            self.add_error("reason", _("Elige un motivo de la lista."))
        elif not code and not given.get("subject") and "subject" not in self.errors:
            self.add_error("reason", _("Elige un motivo, o escribe el asunto."))
        return given


class InvoiceForm(forms.Form):
    """The files that are the invoice which a customer asked for (DOC-02)."""

    def __init__(self, data: Any = None, files: Any = None, *, rules: Settings) -> None:
        super().__init__(data, files, auto_id="invoice_%s")
        self.fields["files"] = FilesField(
            rules_of_papers(rules),
            label=_("La factura"),
            required=True,
        )

    def clean_files(self) -> list[Checked]:
        files: list[Checked] = self.cleaned_data["files"]
        if not files:
            raise forms.ValidationError(Code.NO_INVOICE_FILE.label)
        return files


class HolidayForm(forms.Form):
    """The days on which a shop will be closed, and what for; one day alone needs no last one (MSG-09)."""

    first_day = forms.DateField(
        error_messages={"required": _("Escribe el primer día."), "invalid": _("Escribe una fecha.")}
    )
    last_day = forms.DateField(required=False, error_messages={"invalid": _("Escribe una fecha.")})
    note = forms.CharField(
        max_length=60,
        required=False,
        error_messages={"max_length": _("Son demasiadas letras: 60 como mucho.")},
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("first_day"), given.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("Acaba antes de empezar."))
        return given

    @property
    def closing(self) -> Closing:
        given = self.cleaned_data
        note = " ".join(visible(given["note"]).split())
        return Closing(given["first_day"], given["last_day"] or given["first_day"], note)

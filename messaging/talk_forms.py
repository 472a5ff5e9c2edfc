"""What people write on the pages of conversations that are no customer's: a message, its subject, its files; a note."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.lettering import visible
from messaging.conversing import LONGEST
from messaging.filling import Fills
from messaging.noting import LONGEST_NOTE


class TalkForm(Fills):
    """A message; what is typed beside it for a variable is put in its place (MSG-12)."""

    text = forms.CharField(
        max_length=LONGEST,
        error_messages={
            "required": _("Escribe el mensaje."),
            "max_length": _("El mensaje es demasiado largo."),
        },
    )


class OperatorForm(TalkForm):
    """The first message of a conversation with the operator about no order (MSG-14)."""

    subject = forms.CharField(
        max_length=120,
        error_messages={
            "required": _("Di de qué se trata."),
            "max_length": _("Son demasiadas letras: 120 como mucho."),
        },
    )

    def clean_subject(self) -> str:
        return " ".join(visible(self.cleaned_data["subject"]).split())


class NoteForm(forms.Form):
    """A note on an order, and whether its customer reads it too (MSG-11)."""

    body = forms.CharField(
        max_length=LONGEST_NOTE,
        error_messages={
            "required": _("Escribe la nota."),
            "max_length": _("La nota es demasiado larga."),
        },
    )
    public = forms.ChoiceField(choices=[("", ""), ("private", ""), ("public", "")], required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.is_public = given.get("public") == "public"
        return given

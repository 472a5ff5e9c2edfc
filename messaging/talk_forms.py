"""A note on an order as it is typed (MSG-11)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.noting import LONGEST_NOTE


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

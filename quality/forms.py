"""What is typed about reviews."""

from django import forms
from django.utils.translation import gettext_lazy as _

from quality.services import LONGEST_REMINDER


class ReminderForm(forms.Form):
    """A personal reminder, in the shop's own words (REV-02)."""

    text = forms.CharField(
        label=_("Qué le dices"),
        max_length=LONGEST_REMINDER,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Escribe el recordatorio.")},
    )

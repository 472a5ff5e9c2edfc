"""A template as a shop types it (MSG-12)."""

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.models import Audience, Template
from messaging.models.templates import LANGUAGES
from messaging.templating import LONGEST_BODY, Written


class TemplateForm(forms.Form):
    """A template's words; whether its variables are known, and its name its own, the service says."""

    name = forms.CharField(max_length=80, error_messages={"required": _("Ponle un nombre.")})
    language = forms.ChoiceField(choices=LANGUAGES)
    audience = forms.ChoiceField(
        choices=[(Audience.CUSTOMER.value, _("El cliente")), (Audience.OPERATOR.value, _("El operador"))]
    )
    subject = forms.CharField(max_length=120, required=False)
    body = forms.CharField(max_length=LONGEST_BODY, error_messages={"required": _("Escribe el texto.")})
    seen = forms.DateTimeField(required=False)

    @property
    def written(self) -> Written:
        given = self.cleaned_data
        audience = Audience(given["audience"])
        return Written(given["name"], given["body"], given["language"], given["subject"], audience)

    @staticmethod
    def of(template: Template) -> dict[str, str]:
        """What the form starts with for a template that is there."""
        return {
            "name": template.name,
            "language": template.language,
            "audience": template.audience,
            "subject": template.subject,
            "body": template.body,
            "seen": template.changed_at.isoformat(),
        }

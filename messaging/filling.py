"""Forms with a text in which a template's variables may stand: a box for each, and their values put in (MSG-12)."""

from collections.abc import Sequence
from typing import Any

from django import forms

from messaging import templates
from messaging.composing import Choice
from messaging.models import Audience, Template
from orders.models import Order


class Fills(forms.Form):
    """A form with a `text`; what is typed beside it for a variable is put in its place before it is sent."""

    def clean_text(self) -> str:
        return templates.completed(str(self.cleaned_data["text"]), self.data)

    @property
    def written(self) -> str:
        """The text as it stands in its box."""
        return str(self["text"].value() or "")

    @property
    def asked(self) -> list[tuple[str, str, str]]:
        """What the text still asks for: the words, the name of its box, what was typed there."""
        boxes = [(one, templates.FIELD + one.value) for one in templates.asked(self.written)]
        return [(str(one.label), box, str(self.data.get(box, ""))) for one, box in boxes]


def picker(offered: Sequence[Template], key: str, carried: dict[str, str]) -> dict[str, Any]:
    """The templates to choose from by `?plantilla=`, and what else of the address a choice carries along."""
    options = [(str(one.pk), templates.option_words(one), str(one.pk) == key) for one in offered]
    return {"options": options, "carried": list(carried.items())}


def filled_form(template: Template, order: Order | None, among: Sequence[Choice]) -> dict[str, str]:
    """What a message form starts with when a template was chosen: the text, the subject, and whom it is for."""
    made = templates.filled(template, order)
    to = "operador" if template.audience == Audience.OPERATOR else "cliente"
    told = {"text": made.text, "subject": made.subject}
    return {**told, "to": to} if to in {choice.code for choice in among} else told

"""Forms with a text in which a template's variables may stand: a box for each, and their values put in (MSG-12)."""

from typing import Any

from django import forms

from messaging import templates
from orders.models import Order
from sellers.models import Shop


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


def picker(shop: Shop, order: Order | None, key: str, carried: dict[str, str]) -> dict[str, Any]:
    """The templates to choose from by `?plantilla=`, and what else of the address a choice carries along."""
    offered = templates.offered(shop, order)
    options = [(str(one.pk), templates.option_words(one), str(one.pk) == key) for one in offered]
    return {"options": options, "carried": list(carried.items())}

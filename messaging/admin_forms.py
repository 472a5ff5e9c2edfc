"""What an operator writes: an answer, the first message of a conversation, a note on an order, a template."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES

from marketplace.models import Reason, ReasonKind
from marketplace.rooms import RoomForm
from messaging import answer_clock, templates
from messaging.conversing import LONGEST, Words
from messaging.file_fields import FilesField
from messaging.filling import Fills
from messaging.models import Template, Thread
from messaging.noting import LONGEST_NOTE
from messaging.recipients import CUSTOMER, SHOP, To
from messaging.thread_words import operators_consequences
from orders.models import Order
from sellers.models import Shop

BOTH = To(customer=True, shop=True)
RECIPIENTS = {"shop": SHOP, "customer": CUSTOMER, "both": BOTH}
_WORDS = {
    "shop": gettext_lazy("A la tienda"),
    "customer": gettext_lazy("Al cliente"),
    "both": gettext_lazy("A la tienda y al cliente"),
}


class AnswerForm(Fills, RoomForm):
    """A message of an operator's in a conversation: to whom, and what; each choice says who sees it and is mailed."""

    to = forms.ChoiceField(label=gettext_lazy("Para"), widget=forms.RadioSelect)
    text = forms.CharField(
        label=gettext_lazy("Mensaje"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={"required": gettext_lazy("Escribe el mensaje.")},
    )

    def __init__(self, *args: Any, thread: Thread, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.thread = thread
        terms = answer_clock.terms_of(thread)
        if terms and terms[0].attachments_most:
            self.fields["files"] = FilesField(terms[0])
            self.dress(self.fields["files"])
            self.fields["files"].help_text = self.fields["files"].hint  # type: ignore[attr-defined]
        reachable = thread.order_id is not None and thread.supplier_id is None
        self.offered = [name for name in RECIPIENTS if reachable or name == "shop"]
        self.fields["to"].choices = [(name, _WORDS[name]) for name in self.offered]  # type: ignore[attr-defined]

    def dress(self, field: forms.Field) -> None:
        if not isinstance(field.widget, forms.RadioSelect):
            super().dress(field)

    @property
    def choices(self) -> list[dict[str, object]]:
        """The recipients to choose from, with who will see it and who gets a mail (MSG-06)."""
        now = (
            self["to"].value()
            or self.initial.get("to")
            or (self.offered[0] if len(self.offered) == 1 else "")
        )
        return [
            {
                "name": name,
                "words": _WORDS[name],
                "says": operators_consequences(self.thread, RECIPIENTS[name]),
                "on": name == now,
            }
            for name in self.offered
        ]

    box_looks = " ".join(INPUT_CLASSES)

    @property
    def has_files(self) -> bool:
        """Whether the policy takes files at all."""
        return "files" in self.fields

    @property
    def file_field(self) -> forms.BoundField:
        return self["files"]

    @property
    def words(self) -> Words:
        """What is said, with the files that passed the gate (MSG-13)."""
        return Words(self.cleaned_data["text"], files=self.cleaned_data.get("files") or ())

    @property
    def to_whom(self) -> To:
        return RECIPIENTS[self.cleaned_data["to"]]


class StartForm(AnswerForm):
    """The first message of a conversation: its reason and subject too (MSG-02)."""

    reason = forms.ChoiceField(label=gettext_lazy("Motivo"), required=False)
    subject = forms.CharField(label=gettext_lazy("Asunto"), max_length=120, required=False)
    field_order = ("to", "reason", "subject", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Reason.objects.filter(kind=ReasonKind.CONTACT, active=True)
        self.fields["reason"].choices = [("", "–"), *((one.code, str(one)) for one in rows)]  # type: ignore[attr-defined]


class WhomForm(RoomForm):
    """Whom a conversation is to be with: a shop by its name or code, or an order by its number."""

    whom = forms.CharField(
        label=gettext_lazy("Tienda o pedido"),
        max_length=120,
        help_text=gettext_lazy("El nombre o el código de la tienda, o el número entero del pedido."),
    )

    def clean_whom(self) -> Order | Shop:
        """The order or the shop that is called so; one that is not alone is not guessed."""
        term = " ".join(self.cleaned_data["whom"].split())
        order = Order.objects.filter(reference__in={term, term.upper()}).first()
        if order is not None:
            return order
        shops = list(Shop.objects.filter(code__iexact=term) or Shop.objects.filter(name__icontains=term)[:6])
        if not shops:
            raise ValidationError(_("No hay ninguna tienda ni ningún pedido que se llame así."))
        if len(shops) > 1:
            names = ", ".join(f"{one.name} ({one.code})" for one in shops[:5])
            raise ValidationError(_("Hay varias: %(names)s. Escribe el código.") % {"names": names})
        return shops[0]


class OrderNoteForm(RoomForm):
    """A note on an order, and who reads it (MSG-11)."""

    public = forms.ChoiceField(
        label=gettext_lazy("Quién la lee"),
        choices=[
            ("", gettext_lazy("La tienda y los operadores")),
            ("public", gettext_lazy("También el cliente, en la página de su pedido")),
        ],
        required=False,
    )
    body = forms.CharField(
        label=gettext_lazy("Nota"), max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 4})
    )


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template of the operators': what it asks for is of the closed set, its name its language's own."""

    class Meta:
        model = Template
        fields: ClassVar[tuple[str, ...]] = (
            "name", "language", "audience", "channel", "subject", "body", "active"
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("subject", "body"):
            strangers = templates.unknown(str(data.get(name) or ""))
            if strangers:
                says = _("No es ninguna variable: %(names)s") % {"names": ", ".join(strangers)}
                self.add_error(name, says)
        twin = Template.objects.filter(
            shop=None, channel=data.get("channel"), language=data.get("language"), name=data.get("name")
        ).exclude(pk=self.instance.pk)
        if data.get("name") and twin.exists():
            self.add_error("name", _("Ya hay una con ese nombre en ese idioma."))
        self.instance.changed_at = timezone.now()
        return data

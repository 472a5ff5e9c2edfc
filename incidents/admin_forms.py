"""What an operator says of incidents: what is wrong with an order, and why one is not solved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from incidents import services
from incidents.models import IncidentLine
from incidents.services.verbs import LONGEST_REASON
from marketplace.models import Reason, ReasonKind
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Outcome
from marketplace.rooms import RoomForm
from messaging.conversing import LONGEST
from orders.admin_forms import FORMS, VerbForm
from orders.models import Order
from orders.states import Decision, Verb
from sellers.desk import Actor


class OpenForm(VerbForm):
    """Which articles of an order something is wrong with, and what (INC-01)."""

    verb = Verb.INCIDENT_OPENED
    lines = forms.MultipleChoiceField(
        label=gettext_lazy("Artículos"), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"))
    text = forms.CharField(
        label=gettext_lazy("Qué pasa"),
        max_length=LONGEST,
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=gettext_lazy("Lo leen la tienda y el cliente."),
    )

    def build(self) -> None:
        listed = Reason.objects.filter(kind=ReasonKind.INCIDENT, active=True)
        self.fields["reason"].choices = [(one.code, str(one)) for one in listed]  # type: ignore[attr-defined]
        free = []
        if self.order is not None:
            taken = set(
                IncidentLine.objects.filter(incident__order=self.order, standing=True).values_list(
                    "line_id", flat=True
                )
            )
            lines = self.order.lines.filter(decision=Decision.ACCEPTED)
            free = [(str(line.id), str(line)) for line in lines if line.id not in taken]
        self.fields["lines"].choices = free  # type: ignore[attr-defined]

    @classmethod
    def judged(cls, order: Order, *, by: Actor, at: datetime) -> Code | None:
        return services.judge_opening(order, by=by, at=at)

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Any]:
        data: dict[str, Any] = self.cleaned_data
        lines = [int(one) for one in data["lines"]]
        reason = Why(data["reason"])
        try:
            opened = services.open_incident(
                order_ids[0], lines, reason=reason, text=data["text"], by=by, at=at
            )
        except MoveRefused as refused:
            return Outcome([], [refused.refusal])
        return Outcome([opened], [])


FORMS[Verb.INCIDENT_OPENED] = OpenForm


class SendBackForm(RoomForm):
    """Why it is not solved: the shop reads it."""

    reason = forms.CharField(
        label=gettext_lazy("Por qué no está resuelta"),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget,
        help_text=gettext_lazy("Lo lee la tienda, y tiene que contestar."),
    )


class CloseForm(RoomForm):
    """Nothing but the click, and how many messages there were when it was made."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

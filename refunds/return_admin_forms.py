"""What an operator says of a return in a shop's stead (REF-09, ROL-02)."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from marketplace.models import Carrier, Reason, ReasonKind
from marketplace.reasons import Why
from marketplace.rooms import RoomForm
from messaging.conversing import LONGEST
from refunds import return_ends, return_verbs
from refunds.amounts import Part
from refunds.models import ReturnLine, ReturnRequest
from refunds.queries import left_of
from refunds.refunding import Wish
from refunds.return_ends import Replacement
from refunds.return_verbs import LONGEST_ANSWER, LONGEST_FLAW, LONGEST_NAME
from sellers.desk import Actor


class ReturnForm(RoomForm):
    """An act on a return; it asks for nothing but the click."""

    verb: ClassVar[str]

    def __init__(self, *args: Any, row: ReturnRequest, lines: Sequence[ReturnLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row, self.lines = row, lines
        self.build()
        for field in self.fields.values():
            self.dress(field)

    def build(self) -> None:
        """Add the fields that depend on the return."""

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        """Do it through the services. Raises MoveRefused."""
        raise NotImplementedError


class AcceptForm(ReturnForm):
    verb = "accept"
    instructions = forms.CharField(
        label=gettext_lazy("Instrucciones para el cliente"),
        max_length=LONGEST,
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=gettext_lazy("Adónde lo manda, con quién y quién lo paga."),
    )

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        said = self.cleaned_data["instructions"]
        return return_verbs.accept(self.row.id, instructions=said, by=by, at=at)


class InstructForm(AcceptForm):
    verb = "instruct"

    def build(self) -> None:
        self.fields["instructions"].required = True

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        said = self.cleaned_data["instructions"]
        return return_verbs.instruct(self.row.id, instructions=said, by=by, at=at)


class RefuseForm(ReturnForm):
    verb = "refuse"
    kind = ReasonKind.NO_RETURN
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"))
    answer = forms.CharField(
        label=gettext_lazy("Qué se le dice al cliente"),
        max_length=LONGEST_ANSWER,
        required=False,
        widget=UnfoldAdminTextareaWidget,
    )

    def build(self) -> None:
        listed = Reason.objects.filter(kind=self.kind, active=True)
        self.fields["reason"].choices = [(one.code, str(one)) for one in listed]  # type: ignore[attr-defined]

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        given = self.cleaned_data
        return return_verbs.refuse(
            self.row.id, reason=Why(given["reason"]), answer=given["answer"], by=by, at=at
        )


class RejectForm(RefuseForm):
    verb = "reject"

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        given = self.cleaned_data
        return return_verbs.reject(
            self.row.id, reason=Why(given["reason"]), answer=given["answer"], by=by, at=at
        )


class ReceiveForm(ReturnForm):
    verb = "receive"

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        return return_verbs.receive(self.row.id, by=by, at=at)


class WithdrawForm(ReturnForm):
    verb = "withdraw"

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        return return_verbs.withdraw(self.row.id, by=by, at=at)


class InspectForm(ReturnForm):
    verb = "inspect"

    def build(self) -> None:
        for one in self.lines:
            told = {"title": one.line.title, "units": one.units}
            self.fields[f"good_{one.line_id}"] = forms.IntegerField(
                label=_("%(title)s: cuántas de %(units)s están bien") % told,
                min_value=0,
                max_value=one.units,
                initial=one.units,
            )
            self.fields[f"flaw_{one.line_id}"] = forms.CharField(
                label=_("Qué les pasa a las demás"), max_length=LONGEST_FLAW, required=False
            )

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        given = self.cleaned_data
        good = {one.line_id: given[f"good_{one.line_id}"] for one in self.lines}
        flaws = {one.line_id: given[f"flaw_{one.line_id}"] for one in self.lines}
        return return_verbs.inspect(self.row.id, good, flaws, by=by, at=at)


class ReplaceForm(ReturnForm):
    verb = "replace"
    carrier = forms.ModelChoiceField(
        Carrier.objects.filter(active=True), label=gettext_lazy("Transportista"), to_field_name="code"
    )
    tracking = forms.CharField(
        label=gettext_lazy("Número de seguimiento"), max_length=LONGEST_NAME, required=False
    )

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        given = self.cleaned_data
        parcel = Replacement(given["carrier"], tracking=given["tracking"])
        return return_ends.replace(self.row.id, parcel, by=by, at=at)


class PayForm(RefuseForm):
    """The refund of the units that were good, at their price; what the shop's balance lacks the operator covers."""

    verb = "pay"
    kind = ReasonKind.REFUND
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def build(self) -> None:
        super().build()
        del self.fields["answer"]

    def carry_out(self, *, by: Actor, at: datetime) -> object:
        left = left_of(self.row.order)
        parts = [
            Part(one.line_id, one.good, left[one.line_id].usual_goods(one.good), 0)
            for one in self.lines
            if one.good
        ]
        given = self.cleaned_data
        wish = Wish(given["key"], Why(given["reason"]), parts, cover=True)
        return return_ends.refund(self.row.id, wish, by=by, at=at)


FORMS: dict[str, type[ReturnForm]] = {
    one.verb: one
    for one in (
        AcceptForm,
        InstructForm,
        RefuseForm,
        ReceiveForm,
        InspectForm,
        PayForm,
        ReplaceForm,
        RejectForm,
        WithdrawForm,
    )
}

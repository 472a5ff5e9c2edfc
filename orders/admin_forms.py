"""What an operator says with an act on orders: a reason, a parcel, a hold. Each form makes its own call."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.lettering import visible
from marketplace.models import Carrier, Reason, ReasonKind
from marketplace.reasons import OTHER, Why
from marketplace.refusals import Code, Outcome
from marketplace.rooms import RoomForm
from orders import services
from orders.models import LONGEST_ACCESS, Hold, Order
from orders.services import Answer, Parcel
from orders.services.returning import CORRECTED
from orders.signals import Moved
from orders.states import OF_MONEY, Decision, HoldKind, Verb
from orders.telling import PARTS
from sellers.desk import Actor
from sellers.models import Supplier

_LONGEST_PRESALE = timedelta(days=2 * 365)


BY_HAND = [choice for choice in HoldKind.choices if choice[0] not in OF_MONEY]
"""The holds that people put and lift; that of an incident or of a return comes and goes with it."""


class VerbForm(RoomForm):
    """An act on one order, or on many when `order` is None; it asks for nothing but the click."""

    verb: ClassVar[Verb]

    def __init__(self, *args: Any, order: Order | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.build()
        for field in self.fields.values():
            self.dress(field)

    def build(self) -> None:
        """Add the fields that depend on the order."""

    @classmethod
    def judged(cls, order: Order, *, by: Actor, at: datetime) -> Code | None:
        """Why the act cannot be made on an order now; None when it can, and is offered."""
        return services.judge(order, cls.verb, by=by, at=at)

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        """Make the act through the services."""
        raise NotImplementedError


class ReadyForm(VerbForm):
    verb = Verb.READY

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.ready(order_ids, by=by, at=at)


class DeliverForm(VerbForm):
    """Confirm that orders arrived (SHP-06)."""

    verb = Verb.DELIVER

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.deliver(order_ids, by=by, at=at)


class RevokeLinksForm(VerbForm):
    """Make void the links that the customer has had (ROL-03)."""

    verb = Verb.LINKS_REVOKED

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.revoke_links(order_ids, by=by, at=at)


class ReturnForm(VerbForm):
    """It is back at the shop; what was charged goes back to the customer (CAN-05)."""

    verb = Verb.RETURN_TO_SENDER

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.return_to_sender(order_ids, by=by, at=at)


class ReasonForm(VerbForm):
    """An act that needs a reason: one of the list, or one's own words."""

    kind: ClassVar[ReasonKind]
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"))
    note = forms.CharField(label=gettext_lazy("Con otras palabras"), max_length=160, required=False)

    def build(self) -> None:
        self.words = {one.code: str(one) for one in Reason.objects.filter(kind=self.kind, active=True)}
        self.words.setdefault(OTHER, _("Otro motivo"))
        self.fields["reason"].choices = list(self.words.items())  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("reason") == OTHER and not data.get("note"):
            self.add_error("note", _("Di cuál es el motivo."))
        return data

    @property
    def said(self) -> Why:
        """The reason, and one's own words beside it or instead of it."""
        return Why(self.cleaned_data["reason"], self.cleaned_data["note"])


class ReportExceptionForm(ReasonForm):
    """The carrier could not deliver: what it said, and of which parcel (EXC-01, EXC-02)."""

    verb, kind = Verb.REPORT_EXCEPTION, ReasonKind.EXCEPTION

    def build(self) -> None:
        super().build()
        if self.order is not None and self.order.parcels > 1:
            numbers = [(n, _("bulto %(n)s") % {"n": n}) for n in range(1, self.order.parcels + 1)]
            self.fields["parcel"] = forms.TypedChoiceField(
                label=_("Bulto"), choices=numbers, coerce=int, initial=self.order.parcels
            )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        parcel = self.cleaned_data.get("parcel")
        return services.report_exception(order_ids, reason=self.said, parcel=parcel, by=by, at=at)


class RetryForm(VerbForm):
    """It goes out again, where the order says or where that is put right (EXC-03)."""

    verb = Verb.RETRY

    def build(self) -> None:
        if self.order is None:
            return
        for name in CORRECTED:
            column = Order._meta.get_field(name)
            self.fields[name] = forms.CharField(
                label=PARTS[name],  # type: ignore[arg-type]
                max_length=column.max_length,  # type: ignore[union-attr]
                required=False,
                initial=getattr(self.order, name),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        sent = {name: visible(data.get(name) or "") for name in CORRECTED if name in self.data}
        said = {name: value for name, value in sent.items() if value != getattr(self.order, name, value)}
        self.correction = services.Correction(**said) if said and not self.errors else None
        if self.correction is not None and self.order is not None:
            for name in services.flaws_of(self.order.country, self.correction):
                self.add_error(name, _("No puede ser así."))
        return data

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        corrections = dict.fromkeys(order_ids, self.correction) if self.correction is not None else None
        return services.retry(order_ids, corrections=corrections, by=by, at=at)


class RefuseForm(ReasonForm):
    verb, kind = Verb.REFUSE, ReasonKind.REFUSE

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.refuse(order_ids, reason=self.said, by=by, at=at)


class CancelForm(ReasonForm):
    verb, kind = Verb.CANCEL, ReasonKind.CANCEL

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return services.cancel(order_ids, reason=self.said, by=by, at=at)


class AcceptForm(VerbForm):
    """The answer line by line: accepted, or refused for a reason of the list (ORD-05)."""

    verb = Verb.ACCEPT

    def build(self) -> None:
        self.words = {
            one.code: str(one) for one in Reason.objects.filter(kind=ReasonKind.REFUSE, active=True)
        }
        refusals = [
            (code, _("Rechazar: %(reason)s") % {"reason": words}) for code, words in self.words.items()
        ]
        for line in self.order.lines.all() if self.order else ():
            choices = [("", _("Aceptar")), *refusals]
            self.fields[f"line_{line.id}"] = forms.ChoiceField(
                label=str(line), choices=choices, required=False
            )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        said = {int(name.removeprefix("line_")): code for name, code in self.cleaned_data.items() if code}
        answer = Answer({line_id: Why(code) for line_id, code in said.items()})
        return services.accept(dict.fromkeys(order_ids, answer), by=by, at=at)


class ShipForm(VerbForm):
    """A parcel: its carrier, its number, and what is in it (SHP-01, SHP-03)."""

    verb = Verb.SHIP
    carrier = forms.ModelChoiceField(
        Carrier.objects.filter(active=True),
        label=gettext_lazy("Transportista"),
        required=False,
        empty_label=gettext_lazy("Elige un transportista"),
    )
    carrier_name = forms.CharField(label=gettext_lazy("Otro transportista"), max_length=80, required=False)
    tracking = forms.CharField(label=gettext_lazy("Número de seguimiento"), max_length=80, required=False)

    def build(self) -> None:
        for line in self.order.lines.all() if self.order else ():
            if line.to_ship:
                self.fields[f"line_{line.id}"] = forms.IntegerField(
                    label=_("Unidades de «%(article)s»") % {"article": line.title},
                    min_value=0,
                    max_value=line.to_ship,
                    initial=line.to_ship,
                )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        data = self.cleaned_data
        parcel = Parcel(
            carrier=data["carrier"],
            carrier_name=visible(data["carrier_name"]),
            tracking=visible(data["tracking"]),
            quantities=dict(self._quantities()),
        )
        return services.ship(dict.fromkeys(order_ids, parcel), by=by, at=at)

    def _quantities(self) -> Iterator[tuple[int, int]]:
        for name, units in self.cleaned_data.items():
            if name.startswith("line_"):
                yield int(name.removeprefix("line_")), units


class FulfilForm(VerbForm):
    """What does not travel, confirmed to the customer in the shop's stead (ORD-13)."""

    verb = Verb.FULFIL

    def build(self) -> None:
        for line in self.order.lines.all() if self.order else ():
            if line.to_confirm:
                words = {"article": line.title}
                self.fields[f"line_{line.id}"] = forms.BooleanField(
                    label=_("Confirmar «%(article)s»") % words, required=False, initial=True
                )
                self.fields[f"access_{line.id}"] = forms.CharField(
                    label=_("Qué se le dice de «%(article)s»") % words,
                    max_length=LONGEST_ACCESS,
                    required=False,
                    initial=line.access,
                )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        data = self.cleaned_data
        chosen = [int(name.removeprefix("line_")) for name in data if name.startswith("line_") and data[name]]
        accesses = {key: visible(data[f"access_{key}"]) for key in chosen}
        return services.fulfil(dict.fromkeys(order_ids, accesses), by=by, at=at)


class AssignForm(VerbForm):
    """Who fulfils each line: a supplier of the shop, or the shop itself (ROL-04)."""

    verb = Verb.ASSIGN

    def build(self) -> None:
        if self.order is None:
            return
        lines = list(self.order.lines.select_related("supplier"))
        own = {line.supplier_id: str(line.supplier) for line in lines if line.supplier_id}
        listed = Supplier.objects.filter(shop_id=self.order.shop_id, active=True)
        names = {one.id: one.name for one in listed} | own
        for line in (one for one in lines if not one.shipped_quantity and one.decision != Decision.REFUSED):
            self.fields[f"line_{line.id}"] = forms.TypedChoiceField(
                label=str(line),
                choices=[("", _("La tienda")), *names.items()],
                coerce=int,
                empty_value=None,
                initial=line.supplier_id,
                required=False,
            )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        wanted = {int(name.removeprefix("line_")): one for name, one in self.cleaned_data.items()}
        return services.assign(dict.fromkeys(order_ids, wanted), by=by, at=at)


class HoldForm(VerbForm):
    """A hold of any kind; a pre-sale says until when (ORD-06)."""

    verb = Verb.HOLD
    kind = forms.ChoiceField(label=gettext_lazy("Clase"), choices=BY_HAND, initial=HoldKind.OPERATOR)
    reason = forms.ChoiceField(label=gettext_lazy("Motivo"), required=False)
    note = forms.CharField(label=gettext_lazy("Explicación"), max_length=300, required=False)
    until = forms.DateTimeField(
        label=gettext_lazy("Hasta"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=gettext_lazy("Solo en una preventa: se levanta sola entonces."),
    )

    def build(self) -> None:
        listed = Reason.objects.filter(kind=ReasonKind.HOLD, active=True)
        choices = [("", "–"), *((one.code, str(one)) for one in listed)]
        self.fields["reason"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == HoldKind.PRESALE and not data.get("until"):
            self.add_error("until", _("Una preventa dice hasta cuándo."))
        elif (until := data.get("until")) and not timezone.now() < until < timezone.now() + _LONGEST_PRESALE:
            self.add_error("until", _("Una preventa acaba después de hoy y antes de dos años."))
        return data

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        data = self.cleaned_data
        until = data["until"] if data["kind"] == HoldKind.PRESALE else None
        note = Why(data["reason"], data["note"])
        return services.hold(order_ids, HoldKind(data["kind"]), note=note, until=until, by=by, at=at)


class ReleaseForm(VerbForm):
    """Which hold is lifted, and what the history should say of it."""

    verb = Verb.RELEASE
    kind = forms.ChoiceField(label=gettext_lazy("Clase"), choices=BY_HAND)
    note = forms.CharField(label=gettext_lazy("Nota"), max_length=200, required=False)

    def build(self) -> None:
        if self.order is not None:
            standing = set(
                Hold.objects.filter(order=self.order, released_at=None).values_list("kind", flat=True)
            )
            kinds = [choice for choice in BY_HAND if choice[0] in standing]
            self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        data = self.cleaned_data
        return services.release(order_ids, HoldKind(data["kind"]), note=data["note"], by=by, at=at)


class ShortenForm(VerbForm):
    """How many units there are of what is to be shipped; the rest is refused and goes back (ORD-06)."""

    verb = Verb.SHORTEN

    def build(self) -> None:
        for line in self.order.lines.all() if self.order else ():
            if line.to_ship:
                self.fields[f"line_{line.id}"] = forms.IntegerField(
                    label=_("Unidades que hay de «%(article)s»") % {"article": line.title},
                    min_value=0,
                    max_value=line.to_ship,
                    initial=line.to_ship,
                )

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        said = {int(name.removeprefix("line_")): units for name, units in self.cleaned_data.items()}
        return services.shorten(dict.fromkeys(order_ids, said), by=by, at=at)


class NoteForm(RoomForm):
    """A word on why holds are lifted."""

    note = forms.CharField(label=gettext_lazy("Nota"), max_length=200)


FORMS: dict[Verb, type[VerbForm]] = {
    form.verb: form
    for form in (
        AcceptForm,
        RefuseForm,
        CancelForm,
        ReadyForm,
        ShipForm,
        FulfilForm,
        ShortenForm,
        DeliverForm,
        ReportExceptionForm,
        RetryForm,
        ReturnForm,
        AssignForm,
        HoldForm,
        ReleaseForm,
        RevokeLinksForm,
    )
}
"""The acts that operators may make, in the order in which they are offered; apps above add theirs."""

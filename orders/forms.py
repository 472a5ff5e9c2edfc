"""What people type on the order page, checked for its form; whether it may be done the services say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.clocks import Calendar
from marketplace.lettering import visible
from marketplace.models import Carrier, Reason
from marketplace.reasons import OTHER, Why
from marketplace.refusals import Refusal
from orders.models import LONGEST_ACCESS, Line
from orders.services import Answer, Parcel, odd_tracking
from orders.states import SELLER_HOLDS, Decision, HoldKind
from sellers.models import Supplier

_LONGEST_REASON = 160
_LONGEST_WAIT_YEARS = 2
_LONGEST_NUMBER = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """An act that did not come off: its form as it was sent, the refusal where a rule stood in the way; `about` is what
    was asked for, or answered."""

    act: str
    form: forms.Form
    refusal: Refusal | None = None
    about: str = ""


def reason_of(given: Mapping[str, Any], code: str, note: str, reasons: Sequence[Reason]) -> Why:
    """A reason of the list, or one's own words; what stands in the box of these is unseen beside another reason."""
    chosen = given.get(code) or OTHER
    if chosen == OTHER:
        words = visible(str(given.get(note) or ""))
        return Why(OTHER, words) if words else Why()
    return Why(chosen) if chosen in {reason.code for reason in reasons} else Why()


def units_field(least: int, most: int) -> forms.IntegerField:
    """How many units there are, of so many; nothing said means all of them."""
    says = _("Escribe un número entre %(least)s y %(most)s.") % {"least": least, "most": most}
    flaws = {"invalid": says, "min_value": says, "max_value": says}
    return forms.IntegerField(min_value=least, max_value=most, required=False, error_messages=flaws)


class AnswerForm(forms.Form):
    """The seller's answer to every line, or `all` to accept the order whole; a refusal says why (ORD-05).

    Silence accepts nothing: a line without an answer, or an answer to no line of the order, is an error.
    """

    all = forms.CharField(required=False)

    def __init__(self, data: Any = None, *, lines: Sequence[Line], reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.lines, self.reasons = lines, reasons
        for line in lines:
            self.fields[f"answer_{line.id}"] = forms.ChoiceField(
                choices=[("accept", _("Aceptar")), ("refuse", _("Rechazar"))], required=False
            )
            self.fields[f"reason_{line.id}"] = forms.CharField(required=False)
            self.fields[f"note_{line.id}"] = forms.CharField(max_length=_LONGEST_REASON, required=False)
            self.fields[f"units_{line.id}"] = units_field(1, line.quantity)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.refused: dict[int, Why] = {}
        self._check_answers(given)
        for line in self.lines:
            if given.get(f"answer_{line.id}") == "refuse":
                reason = reason_of(given, f"reason_{line.id}", f"note_{line.id}", self.reasons)
                if not reason:
                    self.add_error(f"reason_{line.id}", _("Di por qué la rechazas."))
                self.refused[line.id] = reason
        return given

    def _check_answers(self, given: Mapping[str, Any]) -> None:
        whole = given.get("all") == "1"
        sent = {name for name in self.data if name.startswith("answer_")}
        if whole and sent:
            self.add_error(None, _("O se acepta el pedido entero o se responde línea por línea."))
        elif sent - {f"answer_{line.id}" for line in self.lines}:
            self.add_error(None, _("Hay una respuesta para una línea que no es de este pedido."))
        missing = [line.title for line in self.lines if not given.get(f"answer_{line.id}")]
        if missing and not whole:
            text = _("Di si aceptas o rechazas cada línea. Falta: %(lines)s.")
            self.add_error(None, text % {"lines": ", ".join(missing[:3]) + ("…" if missing[3:] else "")})

    @property
    def answer(self) -> Answer:
        return Answer(self.refused, self.there_are)

    @property
    def there_are(self) -> dict[int, int]:
        """The units that there are of accepted lines of which some are missing (ORD-06)."""
        said = {
            line.id: self.cleaned_data.get(f"units_{line.id}")
            for line in self.lines
            if line.id not in self.refused
        }
        quantities = {line.id: line.quantity for line in self.lines}
        return {line_id: units for line_id, units in said.items() if units and units < quantities[line_id]}

    @property
    def refuses_all(self) -> bool:
        return len(self.refused) == len(self.lines)


class ReasonForm(forms.Form):
    """Why an order is refused or cancelled: a reason of the list, or one's own words."""

    reason = forms.CharField(required=False)
    note = forms.CharField(max_length=_LONGEST_REASON, required=False)

    def __init__(self, data: Any = None, *, reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.reasons = reasons

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.why = reason_of(given, "reason", "note", self.reasons)
        if not self.why:
            self.add_error("reason", _("Elige un motivo o escríbelo."))
        return given


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER


class ParcelForm(forms.Form):
    """A parcel to hand over: carrier, tracking number, how many units of each line (SHP-01, SHP-03).

    A number that does not look like the carrier's is warned about; `confirm` repeats it to mean it (SHP-05).
    """

    carrier = forms.CharField(error_messages={"required": _("Elige el transportista.")})
    carrier_name = forms.CharField(max_length=80, required=False)
    tracking = forms.CharField(max_length=80, required=False)
    tracking_url = forms.URLField(max_length=400, required=False, assume_scheme="https")
    confirm = forms.CharField(required=False)

    def __init__(
        self, data: Any = None, *, lines: Sequence[Line], carriers: Sequence[Carrier], free_text: bool
    ) -> None:
        super().__init__(data)
        self.lines, self.carriers, self.free_text = lines, carriers, free_text
        self.odd = False
        for line in lines:
            self.fields[f"units_{line.id}"] = forms.IntegerField(
                min_value=0, required=False, error_messages={"invalid": _("Escribe un número de unidades.")}
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = given.get("carrier")
        for name in ("carrier_name", "tracking"):
            given[name] = visible(str(given.get(name) or ""))
        carrier = next((one for one in self.carriers if one.code == chosen), None)
        if chosen == OTHER and self.free_text:
            if not given["carrier_name"] and "carrier_name" not in self.errors:
                self.add_error("carrier_name", _("Escribe el nombre del transportista."))
        elif chosen and carrier is None:
            self.add_error("carrier", _("Elige un transportista de la lista."))
        elif carrier and not given.get("tracking") and "tracking" not in self.errors:
            self.add_error("tracking", _("Escribe el número de seguimiento."))
        self._build(given, carrier)
        return given

    def _build(self, given: dict[str, Any], carrier: Carrier | None) -> None:
        tracking = given.get("tracking") or ""
        self.parcel = Parcel(
            carrier=carrier,
            carrier_name="" if carrier else given.get("carrier_name") or "",
            tracking=tracking,
            tracking_url="" if carrier else given.get("tracking_url") or "",
            quantities={line.id: given.get(f"units_{line.id}") or 0 for line in self.lines} | self._strange(),
        )
        self.odd = odd_tracking(carrier, tracking)
        if self.odd and given.get("confirm") != tracking and not self.errors:
            self.add_error("tracking", _("No parece un número de este transportista."))

    def _strange(self) -> dict[int, int]:
        """Units of lines that were not asked about: whether they may go along, the service says."""
        told = {
            name.removeprefix("units_"): units
            for name, units in self.data.items()
            if name.startswith("units_") and name not in self.fields
        }
        return {
            int(line): int(units)
            for line, units in told.items()
            if _is_number(line) and _is_number(units) and int(units)
        }


class AssignForm(forms.Form):
    """Who fulfils each line: a supplier of the shop by their code, or, without one, the shop itself (ROL-04).

    Lines of which a unit has left, and refused ones, are no longer asked about; a supplier who has one already is
    kept among the choices, whether they are active or not.
    """

    def __init__(self, data: Any = None, *, lines: Sequence[Line], suppliers: Sequence[Supplier]) -> None:
        super().__init__(data)
        own = [one for line in lines if (one := line.supplier) is not None]
        self.known = {one.code: one for one in (*suppliers, *own)}
        self.choices = [("", _("La tienda")), *((code, one.name) for code, one in self.known.items())]
        self.lines = [
            line for line in lines if not line.shipped_quantity and line.decision != Decision.REFUSED
        ]
        for line in self.lines:
            self.fields[f"supplier_{line.id}"] = forms.ChoiceField(
                choices=self.choices,
                required=False,
                error_messages={"invalid_choice": _("Elige un proveedor de la lista.")},
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.wanted: dict[int, int | None] = {
            int(name.removeprefix("supplier_")): self.known[code].id if code else None
            for name, code in given.items()
            if name in self.data
        }
        if {name for name in self.data if name.startswith("supplier_")} - set(self.fields):
            self.add_error(None, _("Hay una respuesta para una línea que no es de este pedido."))
        return given


class ConfirmForm(forms.Form):
    """Which lines are confirmed to the customer, and what the customer needs to get at each (ORD-13)."""

    def __init__(self, data: Any = None, *, lines: Sequence[Line]) -> None:
        super().__init__(data)
        self.lines = lines
        for line in lines:
            self.fields[f"confirm_{line.id}"] = forms.BooleanField(required=False)
            self.fields[f"access_{line.id}"] = forms.CharField(max_length=LONGEST_ACCESS, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = [line.id for line in self.lines if given.get(f"confirm_{line.id}")]
        self.accesses = {key: visible(str(given.get(f"access_{key}") or "")) for key in chosen}
        if not chosen:
            self.add_error(None, _("Elige qué confirmas al cliente."))
        return given


class CarrierRequestForm(forms.Form):
    """A carrier that is not in the list, by its name and site (SHP-04)."""

    name = forms.CharField(
        max_length=80, error_messages={"required": _("Escribe el nombre del transportista.")}
    )
    website = forms.URLField(
        max_length=200,
        assume_scheme="https",
        error_messages={
            "required": _("Escribe la dirección de su sitio."),
            "invalid": _("No parece la dirección de un sitio."),
        },
    )

    def clean_name(self) -> str:
        name = visible(str(self.cleaned_data["name"]))
        if not name:
            raise forms.ValidationError(_("Escribe el nombre del transportista."))
        return name


class ShortForm(forms.Form):
    """How many units there are of each line that is still to be shipped (ORD-06)."""

    def __init__(self, data: Any = None, *, lines: Sequence[Line]) -> None:
        super().__init__(data)
        self.lines = lines
        for line in lines:
            self.fields[f"units_{line.id}"] = units_field(0, line.to_ship)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        said = {line: given.get(f"units_{line.id}") for line in self.lines}
        self.there_are = {line.id: line.to_ship if units is None else units for line, units in said.items()}
        if not self.errors and all(self.there_are[line.id] == line.to_ship for line in self.lines):
            self.add_error(None, _("No falta ninguna unidad: escribe cuántas hay de lo que falta."))
        return given


class HoldForm(forms.Form):
    """Why an order waits; a pre-sale says until which day, within two years (ORD-06)."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in HoldKind if kind in SELLER_HOLDS])
    reason = forms.CharField(required=False)
    note = forms.CharField(max_length=300, required=False)
    until = forms.DateField(required=False, error_messages={"invalid": _("Escribe una fecha.")})

    def __init__(
        self, data: Any = None, *, reasons: Sequence[Reason], calendar: Calendar, at: datetime
    ) -> None:
        super().__init__(data)
        self.reasons, self.calendar, self.at = reasons, calendar, at

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.hold = HoldKind(given.get("kind") or HoldKind.STOCK)
        known = {reason.code for reason in self.reasons}
        code = given.get("reason") or ""
        if code and code not in known:
            self.add_error("reason", _("Elige un motivo de la lista."))
        self.why = Why(code, visible(str(given.get("note") or "")))
        self.until_at: datetime | None = None
        if given.get("kind") != HoldKind.PRESALE or "until" in self.errors:
            return given
        day = given.get("until")
        if day is None:
            self.add_error("until", _("Una preventa necesita su fecha."))
        elif day <= self.calendar.local_day(self.at):
            self.add_error("until", _("La fecha tiene que ser posterior a hoy."))
        elif _years_on(day) > self.calendar.local_day(self.at).timetuple()[:3]:
            self.add_error("until", _("Una preventa espera dos años como mucho."))
        else:
            self.until_at = self.calendar.midnight(day)
        return given


def _years_on(day: date) -> tuple[int, int, int]:
    # Three numbers and no date: the 29th of February has no day two years before.
    return day.year - _LONGEST_WAIT_YEARS, day.month, day.day


class ReleaseForm(forms.Form):
    """Which of its holds an order leaves behind."""

    kind = forms.ChoiceField(choices=HoldKind.choices)

    @property
    def hold(self) -> HoldKind:
        return HoldKind(self.cleaned_data["kind"])

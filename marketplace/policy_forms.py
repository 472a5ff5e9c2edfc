"""The form that the next version of a policy is typed into, made from the typed settings (ORD-10)."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.formats import localize_input
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from marketplace import money
from marketplace.clocks import ClockKind
from marketplace.models import Channel
from marketplace.policy import ROLE_LABELS, Contradiction, Role, Settings, Window
from marketplace.policy_words import (
    CLOCK_LABELS,
    FILE_LABELS,
    SENTENCES,
    WEEKDAYS,
    WORDS_OF,
    legal_moves,
    state_word,
    verb_word,
)
from marketplace.rooms import RoomForm

_KEEP_PLATFORM = frozenset({"expire", "lapse", "debit_succeeded", "debit_failed", "receive", "settle"})

_BOXES: dict[str, dict[Any, Any]] = {"attachment_types": FILE_LABELS, "settlement_weekdays": WEEKDAYS}
"""The settings that are ticked, and what each box is called."""

_FLAWS = {
    "greater_than": gettext_lazy("Tiene que ser mayor que %(gt)s."),
    "greater_than_equal": gettext_lazy("Tiene que ser como mínimo %(ge)s."),
    "less_than_equal": gettext_lazy("Tiene que ser como máximo %(le)s."),
}


def _flaw_words(kind: str, context: dict[str, Any], message: str) -> str:
    """What the typed settings refused, in the page's language."""
    if kind in _FLAWS:
        return str(_FLAWS[kind]) % context
    return str(context.get("error", message))


class PolicyForm(RoomForm):
    """Everything a policy says, field by field; `settings` is what was typed, once it is valid.

    A window is two fields (hours, clock), a rate is typed in per cent, an amount in the channel's currency.
    `number` is the version that the form was filled from, `seen` the print of the settings whose
    difference was shown.
    """

    number = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    note = forms.CharField(label=gettext_lazy("Motivo del cambio"), max_length=200, required=False)

    OWN: ClassVar[tuple[str, ...]] = ("number", "seen", "note")

    def __init__(self, channel: Channel, rules: Settings, number: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel, self.rules = channel, rules
        self.settings: Settings | None = None
        self.initial.setdefault("number", number)
        for name in Settings.model_fields:
            if name == "rights":
                self._add_rights()
            elif name == "state_labels":
                self._add_labels()
            else:
                self._add(name, getattr(rules, name))

    def _put(self, name: str, field: forms.Field, initial: object) -> None:
        self.fields[name] = field
        self.initial.setdefault(name, initial)
        self.dress(field)

    def _add(self, name: str, value: Any) -> None:
        """Add the field for one setting; a window takes two, its hours and their clock."""
        label = SENTENCES.get(name, name)
        if isinstance(value, Window):
            hours = int(value.hours) if value.hours.is_integer() else value.hours
            kinds = [(kind.value, words) for kind, words in CLOCK_LABELS.items()]
            self._put(name, forms.FloatField(label=label, localize=True, help_text=_("En horas.")), hours)
            clock = forms.ChoiceField(label=_("… que corren"), choices=kinds)
            self._put(f"{name}_clock", clock, value.clock.value)
        else:
            self._put(name, *self._field(name, label, value))

    def _field(self, name: str, label: Any, value: Any) -> tuple[forms.Field, object]:
        """The field for one setting and what it is filled with, by the kind of the value."""
        currency = self.channel.currency
        if isinstance(value, bool):
            return forms.BooleanField(label=label, required=False), value
        if name.endswith("_bp"):
            rate = forms.DecimalField(
                label=label, localize=True, min_value=0, max_value=100, decimal_places=2, help_text=_("En %.")
            )
            return rate, Decimal(value) / 100
        if name.endswith("_cents"):
            words = _("En %(currency)s.") % {"currency": currency}
            return forms.CharField(label=label, help_text=words), localize_input(
                Decimal(money.plain(value, currency))
            )
        if type(value) in WORDS_OF:
            choices = [(one.value, words) for one, words in WORDS_OF[type(value)].items()]
            return forms.ChoiceField(label=label, choices=choices), value.value
        if name in _BOXES:
            kinds = forms.MultipleChoiceField(
                label=label,
                choices=[(str(one), words) for one, words in _BOXES[name].items()],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
            return kinds, [str(one) for one in value]
        if isinstance(value, date):
            return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")), value
        if isinstance(value, tuple):
            days = forms.CharField(label=label, help_text=_("Separados por comas, del 1 al 28."))
            return days, ", ".join(map(str, value))
        return forms.IntegerField(label=label), value

    def _add_rights(self) -> None:
        roles = [(role.value, label) for role, label in ROLE_LABELS.items()]
        for state, verb in legal_moves():
            boxes = forms.MultipleChoiceField(
                label=f"{state_word(state)} · {verb_word(verb)}",
                choices=roles,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
            granted = self.rules.rights.get(state, {}).get(verb, ())
            self._put(f"rights.{state}.{verb}", boxes, [role.value for role in granted])

    def _add_labels(self) -> None:
        for state in dict.fromkeys(state for state, _verb in legal_moves()):
            given = self.rules.state_labels.get(state, ("", ""))
            for language, word in zip(("es", "en"), given, strict=True):
                field = forms.CharField(
                    label=f"{state_word(state)} ({language})", required=False, max_length=60
                )
                self._put(f"state_labels.{state}.{language}", field, word)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        typed = {
            name: self._typed(name, getattr(self.rules, name))
            for name in Settings.model_fields
            if name not in ("rights", "state_labels")
        }
        self._check_rights()
        if self.errors:
            return data
        try:
            self.settings = Settings.model_validate(
                {**typed, "rights": self._rights(), "state_labels": self._labels()}
            )
        except ValidationError as flaws:
            for flaw in flaws.errors():
                told = flaw.get("ctx", {}).get("error")
                if isinstance(told, Contradiction):
                    for name, words in told.flaws:
                        self._blame((name,), words)
                    continue
                self._blame(flaw["loc"], _flaw_words(flaw["type"], flaw.get("ctx", {}), flaw["msg"]))
        return data

    def _typed(self, name: str, value: Any) -> Any:
        """One setting as the policy holds it; what is not one is said beside its field."""
        given = self.cleaned_data.get(name)
        if isinstance(value, Window):
            return {"hours": given, "clock": self.cleaned_data.get(f"{name}_clock", ClockKind.WALL)}
        try:
            if given is not None and name.endswith("_bp"):
                return int(given * 100)
            if given is not None and name.endswith("_cents"):
                return money.parse(given, self.channel.currency)
            if given is not None and name == "settlement_days":
                return self._days(given)
        except ValueError as flaw:
            self.add_error(name, str(flaw))
        return given

    @staticmethod
    def _days(text: str) -> tuple[int, ...]:
        words = text.replace(",", " ").split()
        if not all(word.isdecimal() for word in words):
            raise ValueError(_("Escribe días del mes separados por comas."))
        if not words:
            raise ValueError(_("Hace falta al menos un día de liquidación."))
        days = tuple(int(word) for word in words)
        if list(days) != sorted(set(days)):
            raise ValueError(_("Los días de liquidación van en orden y sin repetir."))
        return days

    def _check_rights(self) -> None:
        """A policy that takes its own moves from the platform is refused."""
        reached = {state for state, verb in legal_moves() if self.rules.rights.get(state, {}).get(verb)}
        for state, verb in legal_moves():
            name = f"rights.{state}.{verb}"
            roles = self.cleaned_data.get(name, [])
            if state not in reached:
                continue
            if verb in _KEEP_PLATFORM and Role.PLATFORM.value not in roles:
                self.add_error(name, _("Esto lo hace la plataforma sola: no se le puede quitar."))
            if verb == "ready" and roles and not self.cleaned_data.get("pickup"):
                self.add_error(name, _("Este canal no usa recogida: nadie puede dejar listo un pedido."))

    def _rights(self) -> dict[str, dict[str, list[str]]]:
        rights: dict[str, dict[str, list[str]]] = {}
        for state, verb in legal_moves():
            if roles := self.cleaned_data[f"rights.{state}.{verb}"]:
                rights.setdefault(state, {})[verb] = [role.value for role in Role if role.value in roles]
        return rights

    def _labels(self) -> dict[str, tuple[str, str]]:
        words = {
            state: (
                self.cleaned_data[f"state_labels.{state}.es"],
                self.cleaned_data[f"state_labels.{state}.en"],
            )
            for state in dict.fromkeys(state for state, _verb in legal_moves())
        }
        return {state: (es or en, en or es) for state, (es, en) in words.items() if es or en}

    def _blame(self, place: tuple[int | str, ...], message: str) -> None:
        name = str(place[0]) if place else None
        self.add_error(name if name in self.fields else None, message)

    @cached_property
    def print(self) -> str:
        """The print of the settings typed, to know whether their difference has been shown."""
        return hashlib.sha256(self.settings.model_dump_json().encode()).hexdigest() if self.settings else ""

    def plain_fields(self) -> list[list[forms.BoundField]]:
        """The fields outside of the two tables, setting by setting: hours stand beside their clock."""
        settings = [name for name in Settings.model_fields if name in self.fields]
        return [[self[one] for one in (name, f"{name}_clock") if one in self.fields] for name in settings]

    def rights_rows(self) -> list[dict[str, Any]]:
        """The table of rights: for each legal move one box a role."""
        rows = []
        for state, verb in legal_moves():
            field = self[f"rights.{state}.{verb}"]
            rows.append(
                {
                    "state": state_word(state),
                    "verb": verb_word(verb),
                    "boxes": list(field),
                    "errors": field.errors,
                }
            )
        return rows

    def label_rows(self) -> list[dict[str, Any]]:
        """The table of names: for each state its name in both languages."""
        states = dict.fromkeys(state for state, _verb in legal_moves())
        return [
            {
                "state": state_word(state),
                "fields": [self[f"state_labels.{state}.{code}"] for code in ("es", "en")],
            }
            for state in states
        ]

"""The words of the panel: what a state is called, a moment in a list, the greeting of the hour."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from django.utils import timezone, translation
from django.utils.dateformat import format as in_words
from django.utils.translation import gettext as _

from orders.models import Order
from orders.services import rules
from orders.states import State

TONES = {
    State.PENDING_ACCEPTANCE: "act",
    State.PENDING_PAYMENT: "wait",
    State.DEBIT: "wait",
    State.AWAITING_SHIPMENT: "act",
    State.AWAITING_PICKUP: "act",
    State.SHIPPED: "wait",
    State.EXCEPTION: "act",
    State.RETURNED: "bad",
    State.FAILED: "bad",
    State.REFUSED: "bad",
    State.CANCELLED: "bad",
}


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state as its badge shows it; `tone` is the turn it marks: act, wait, done or bad."""

    text: str
    tone: str
    held: bool = False


def state_of(order: Order) -> StateWords:
    """What the order's policy calls its state, and whether the order waits (ORD-06, ORD-10)."""
    called = rules(order).state_labels.get(order.state)
    english = (translation.get_language() or "es").startswith("en")
    text = called[english] if called else str(State(order.state).label)
    if only_confirms(order):
        text = _("Por confirmar al cliente")
    return StateWords(text, TONES.get(State(order.state), "done"), order.held_at is not None)


def only_confirms(order: Order) -> bool:
    """Whether the order was paid, and only waits for the shop to confirm it to the customer (ORD-13)."""
    return order.state == State.AWAITING_SHIPMENT and not order.ships and order.to_confirm > 0


def brief(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """A moment in the few letters of a list: "hoy 11:52", "jue 19", "3 oct", "3 oct 2025"."""
    local = at.astimezone(zone or timezone.get_current_timezone())
    day, today = local.date(), now.astimezone(local.tzinfo).date()
    days = (today - day).days
    if days == 0:
        return _("hoy %(time)s") % {"time": f"{local:%H:%M}"}
    if days == 1:
        return _("ayer %(time)s") % {"time": f"{local:%H:%M}"}
    return _brief_day(day, today, translation.get_language() or "es")


@lru_cache(maxsize=4096)
def _brief_day(day: date, today: date, language: str) -> str:
    """A day in the few letters of a list, in the language that is active: a year of lists has few days."""
    words = {"day": str(day.day), "month": in_words(day, "b"), "year": str(day.year)}
    if 1 < (today - day).days < 7:
        word = in_words(day, "D")
        words["weekday"] = word if language.startswith("en") else word.lower()
        return _("%(weekday)s %(day)s") % words
    if day.year == today.year:
        return _("%(day)s %(month)s") % words
    return _("%(day)s %(month)s %(year)s") % words


def today_words(now: datetime) -> str:
    """Today's date as a heading: "Domingo 22 de noviembre"."""
    local = timezone.localtime(now)
    words = {"weekday": in_words(local, "l"), "day": local.day, "month": in_words(local, "E")}
    said = _("%(weekday)s %(day)s de %(month)s") % words
    return said[:1].upper() + said[1:]


def greeting(now: datetime) -> str:
    """Good morning, afternoon or evening, by the clock of the site."""
    hour = timezone.localtime(now).hour
    if 6 <= hour < 13:
        return _("Buenos días")
    return _("Buenas tardes") if 13 <= hour < 21 else _("Buenas noches")

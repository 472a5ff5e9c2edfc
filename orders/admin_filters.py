"""Filters of the operators' rooms of orders."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter

from marketplace.moments import LAST_MINUTE
from orders.models import OWES_INVOICE, Hold, Order
from orders.states import State

FOUND_ORDERS = 50


def called(term: str) -> list[int]:
    """The ids of the first orders whose number begins so, in small letters or large; the number has an index."""
    named = Q(reference__startswith=term) | Q(reference__startswith=term.upper())
    return list(Order.objects.filter(named).values_list("id", flat=True)[:FOUND_ORDERS])


@dataclass(frozen=True, slots=True)
class Turn:
    """Orders by who has to move next: what they are called, and which they are at a moment."""

    label: object
    rows: Callable[[datetime], Q]


TO_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
_HELD = Q(held_at__isnull=False) | Q(incident_at__isnull=False)
_UNANSWERED = Q(state=State.PENDING_ACCEPTANCE)
TURNS = {
    "accept": Turn(gettext_lazy("Por aceptar"), lambda now: _UNANSWERED),
    "accept_today": Turn(
        gettext_lazy("Por aceptar hoy"),
        lambda now: _UNANSWERED & Q(accept_by__lt=tomorrow(now) + LAST_MINUTE),
    ),
    "ship": Turn(gettext_lazy("Por enviar"), lambda now: Q(state__in=TO_SHIP)),
    "late": Turn(
        gettext_lazy("Por enviar, con retraso"),
        lambda now: Q(state__in=TO_SHIP, held_at=None, ship_by__lt=now),
    ),
    "way": Turn(
        gettext_lazy("En camino"),
        lambda now: Q(state__in=(State.SHIPPED, State.DELIVERED), held_at=None, incident_at=None),
    ),
    "held": Turn(
        gettext_lazy("En espera"),
        lambda now: Q(pk__in=Hold.objects.filter(released_at=None).values("order_id")),
    ),
    "invoice": Turn(gettext_lazy("Deben factura"), lambda now: OWES_INVOICE),
}
"""The lists that operators look through, by name; the front page counts them by the same conditions."""


def tomorrow(now: datetime) -> datetime:
    """When the day of a moment ends on the site's clocks."""
    return timezone.make_aware(datetime.combine(timezone.localdate(now) + timedelta(days=1), time()))


class TurnFilter(DropdownFilter):  # type: ignore[misc]
    """Orders by who has to move next."""

    title = gettext_lazy("qué falta")
    parameter_name = "turn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, str(turn.label)) for name, turn in TURNS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        turn = TURNS.get(self.value() or "")
        return queryset.filter(turn.rows(timezone.now())) if turn else queryset


class HeldFilter(SimpleListFilter):
    """Orders in wait, or not."""

    title = gettext_lazy("espera")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("En espera")), ("no", _("Sin espera"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {"yes": _HELD, "no": ~_HELD}.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


class DaysFilter(RangeDateFilter):  # type: ignore[misc]
    """From a day to a day, both whole, in the site's time zone; what is not a day is left out."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def understands(self, given: str) -> bool:
        """Whether something given is a day."""
        return _day(given) is not None

    def _day(self, end: str) -> datetime | None:
        return _day(str(self.used_parameters.get(f"{self.parameter_name}_{end}") or ""))


def _day(given: str) -> datetime | None:
    """When a day starts on the site's clocks; None for what is no day, or one that has no next."""
    try:
        day = parse_date(given) or datetime.strptime(given, "%d/%m/%Y").date()  # noqa: DTZ007
        return timezone.make_aware(datetime.combine(day, time())) if 1900 <= day.year < 9999 else None
    except ValueError:
        return None


class StandingFilter(SimpleListFilter):
    """Holds that stand, or were lifted."""

    title = gettext_lazy("situación")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("En pie")), ("no", _("Levantada"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(released_at__isnull=self.value() == "yes")

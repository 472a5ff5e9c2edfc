"""Filters of the operators' rooms of orders."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateFilter


class HeldFilter(SimpleListFilter):
    """Orders in wait, or not."""

    title = gettext_lazy("espera")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("En espera")), ("no", _("Sin espera"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = Q(held_at__isnull=False) | Q(incident_at__isnull=False)
        chosen = {"yes": waiting, "no": ~waiting}.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


class DaysFilter(RangeDateFilter):  # type: ignore[misc]
    """From a day to a day, both whole, in the site's time zone; what is not a day is passed over."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        given = str(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
        try:
            day = parse_date(given) or datetime.strptime(given, "%d/%m/%Y").date()  # noqa: DTZ007
        except ValueError:
            return None
        return timezone.make_aware(datetime.combine(day, time()))


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

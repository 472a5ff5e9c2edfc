"""Filters of the operators' room of conversations."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import pgettext_lazy as pgettext
from unfold.contrib.filters.admin import DropdownFilter

from marketplace import queries
from marketplace.models import ReasonKind
from marketplace.policy import Role
from messaging.models import Message, Thread
from orders.admin_filters import called

FOUND_MESSAGES = 500

TURNS: dict[str, tuple[object, Callable[[datetime], Q]]] = {
    "you": (gettext_lazy("Te esperan"), lambda now: Q(operator_waits_since__isnull=False)),
    "shop": (gettext_lazy("Esperan a la tienda"), lambda now: Q(waiting__gt=0)),
    "late": (
        gettext_lazy("La tienda va tarde"),
        lambda now: Q(waiting__gt=0, answer_by__lt=now),
    ),
}
"""Conversations by who has to answer next."""


class TurnFilter(DropdownFilter):  # type: ignore[misc]
    """Conversations by who has to answer next."""

    title = gettext_lazy("quién contesta")
    parameter_name = "turn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, str(words)) for name, (words, _rows) in TURNS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        turn = TURNS.get(self.value() or "")
        return queryset.filter(turn[1](timezone.now())) if turn else queryset


class AboutFilter(SimpleListFilter):
    """Conversations on an order, with a supplier of one, or about no order."""

    title = gettext_lazy("sobre qué")
    parameter_name = "about"
    ROWS = {
        "order": Q(order__isnull=False, supplier=None),
        "supplier": Q(supplier__isnull=False),
        "none": Q(order=None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        words = (
            gettext_lazy("Un pedido"), gettext_lazy("Un pedido, con su proveedor"),
            gettext_lazy("Ningún pedido"),
        )  # fmt: skip
        return list(zip(self.ROWS, words, strict=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = self.ROWS.get(self.value() or "")
        return queryset.filter(rows) if rows else queryset


class ReasonFilter(DropdownFilter):  # type: ignore[misc]
    """Conversations by their reason for contact."""

    title = gettext_lazy("motivo de contacto")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        english = (get_language() or "es").startswith("en")
        return [
            (code, words[english])
            for (kind, code), words in queries.reason_labels().items()
            if kind == ReasonKind.CONTACT
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason_code=self.value()) if self.value() else queryset


class WhoFilter(DropdownFilter):  # type: ignore[misc]
    """Conversations in which somebody of this part has written."""

    title = gettext_lazy("quién escribe")
    parameter_name = "who"
    PARTS = {
        Role.CUSTOMER: gettext_lazy("El cliente"),
        Role.SELLER: gettext_lazy("La tienda"),
        Role.SUPPLIER: pgettext("of a shop", "El proveedor"),
        Role.OPERATOR: gettext_lazy("El operador"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, str(words)) for role, words in self.PARTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(Exists(Message.objects.filter(thread=OuterRef("pk"), role=self.value())))


def found(rows: QuerySet[Thread], term: str, *, at: datetime) -> QuerySet[Thread]:
    """The conversations on orders whose number begins so, or in which somebody wrote these words; the last of these."""
    words = SearchQuery(term, config="spanish", search_type="websearch") | SearchQuery(
        term, config="english", search_type="websearch"
    )
    said = Message.objects.filter(words=words, visible_at__lte=at).order_by("-id")
    threads = list(said.values_list("thread_id", flat=True)[:FOUND_MESSAGES])
    return rows.filter(Q(order_id__in=called(term)) | Q(id__in=set(threads)))

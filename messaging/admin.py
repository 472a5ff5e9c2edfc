"""The operators' room of notices: what was told to whom, what waits, and what was given up (NOT-01)."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    act,
    column,
    link,
    moment,
    register,
)
from messaging import services
from messaging.models import Notice
from orders.admin_panels import ORDER_PANELS
from orders.models import Order


def situation_of(notice: Notice) -> tuple[str, str]:
    """How far a notice has come, as (code, words)."""
    if notice.sent_at:
        return "sent", _("Enviado")
    if notice.muted:
        return "muted", _("Callado")
    if notice.given_up_at:
        return "given_up", _("Abandonado")
    return "waiting", _("Por enviar")


def notices_panel(order: Order) -> Panel:
    """What was told about an order."""
    rows = [
        (link(one), one.email, one.language, situation_of(one)[1], moment(one.sent_at))
        for one in Notice.objects.filter(order_id=order.pk).order_by("id")[:SHOWN_IN_A_PANEL]
    ]
    return Panel(_("Avisos"), (_("Aviso"), _("Correo"), _("Idioma"), _("Situación"), _("Enviado")), rows)


ORDER_PANELS.append(notices_panel)

FOUND_ORDERS = 50


class SituationFilter(SimpleListFilter):
    """Notices by how far they have come."""

    title = gettext_lazy("situación")
    parameter_name = "situation"
    ROWS: ClassVar[dict[str, dict[str, Any]]] = {
        "waiting": {"sent_at": None, "given_up_at": None, "muted": False},
        "sent": {"sent_at__isnull": False},
        "given_up": {"given_up_at__isnull": False, "sent_at": None},
        "muted": {"muted": True},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = (_("Por enviar"), _("Enviado"), _("Abandonado"), _("Callado"))
        return list(zip(self.ROWS, words, strict=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(**self.ROWS.get(self.value() or "", {}))


@register(Notice)
class NoticeAdmin(ReadingRoom):
    """Every notice; one that was given up can be sent again."""

    list_display = (
        "event",
        "audience",
        "email",
        "language",
        "situation",
        "due_at",
        "sent_at",
        "tries",
        "last_error",
    )
    list_filter = (SituationFilter, ("audience", ChoicesDropdownFilter))
    search_fields = ("order_id",)
    search_help_text = gettext_lazy("El principio del número de pedido.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("again",)
    fields = (
        "event",
        "audience",
        "shop_word",
        "email",
        "language",
        "muted",
        "due_at",
        "sent_at",
        "given_up_at",
        "tries",
        "last_error",
        "message_id",
        "payload",
    )
    readonly_fields = ("shop_word",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notice], search_term: str
    ) -> tuple[QuerySet[Notice], bool]:
        """By the beginning of the order's number, which has an index."""
        term = search_term.strip()
        if term:
            orders = Order.objects.filter(reference__startswith=term).values_list("id", flat=True)
            queryset = queryset.filter(order_id__in=list(orders[:FOUND_ORDERS]))
        return queryset, False

    @column(gettext_lazy("Situación"), label={"sent": "success", "waiting": "info", "given_up": "danger"})
    def situation(self, notice: Notice) -> tuple[str, str]:
        return situation_of(notice)

    @act(gettext_lazy("Volver a intentar"))
    def again(self, request: HttpRequest, rows: QuerySet[Notice]) -> None:
        n = services.send_again(list(rows.values_list("id", flat=True)), at=timezone.now())
        bell.ring("notices")
        messages.success(request, ngettext("%(n)s aviso se envía.", "%(n)s avisos se envían.", n) % {"n": n})

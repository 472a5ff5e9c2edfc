"""The operators' room of returns: what is late, what a shop let pass, and all of it in the shop's stead (REF-09)."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.models import ReasonKind
from marketplace.reasons import Why, said
from marketplace.refusals import MoveRefused, Outcome
from marketplace.rooms import (
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    act,
    column,
    found,
    link,
    moment,
    register,
    tell,
)
from orders.admin_panels import ORDER_PANELS
from orders.models import Order
from refunds.models import ReturnRequest
from refunds.return_admin_forms import FORMS
from refunds.return_queries import lines_of
from refunds.returning import judge
from refunds.states import AT_THE_SHOP, OPEN, ReturnState
from sellers.desk import operator, who

LATE = Q(late_at__isnull=False) | Q(presumed=True, state__in=AT_THE_SHOP)
COLOURS: dict[str, str] = dict.fromkeys(ReturnState.values, "info") | {
    ReturnState.ASKED: "warning",
    ReturnState.REFUNDED: "success",
    ReturnState.REPLACED: "success",
    ReturnState.REFUSED: "danger",
    ReturnState.REJECTED: "danger",
}
FOLLOWERS = ("payback", "notices")


def late() -> QuerySet[ReturnRequest]:
    """Returns that a shop lets wait, or whose deadline it has let pass."""
    return ReturnRequest.objects.filter(LATE)


waits.add(
    waits.Wait(
        5,
        "returns",
        gettext_lazy("Devoluciones con retraso"),
        gettext_lazy("La tienda ha dejado pasar un plazo. Escríbele, o haz tú lo que falta."),
        "refunds_returnrequest_changelist",
        "?situation=late",
        late,
    )
)


class SituationFilter(SimpleListFilter):
    """Late, in hand, or ended."""

    title = gettext_lazy("situación")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("late", _("Con retraso")), ("open", _("En curso")), ("ended", _("Terminadas"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        where = {"late": LATE, "open": Q(state__in=OPEN), "ended": ~Q(state__in=OPEN)}
        value = self.value()
        return queryset.filter(where[value]) if value in where else queryset


@register(ReturnRequest)
class ReturnAdmin(ReadingRoom):
    """Every return, and what an operator may do to it now."""

    list_display = (
        "order_word",
        "number",
        "state_word",
        "reason",
        "shop_word",
        "asked_at",
        "due_by",
        "late_at",
    )
    list_filter = (SituationFilter, ("state", ChoicesDropdownFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "order")
    search_fields = ("order__reference",)
    search_help_text = gettext_lazy("El principio del número de pedido.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions_detail = (
        "accept", "instruct", "refuse", "receive", "inspect", "pay", "replace", "reject", "withdraw",
    )  # fmt: skip
    fields = (
        "order_word", "shop_word", "number", "state", "since", "due_by", "late_at", "presumed", "reason", "text",
        "asked_at", "asked_word", "accepted_at", "instructed_at", "sent_at", "sent_carrier", "sent_tracking",
        "received_at", "inspected_at", "answered_word", "answer", "refund", "new_carrier_name", "new_tracking",
        "ended_at",
    )  # fmt: skip
    readonly_fields = ("order_word", "shop_word", "reason", "asked_word", "answered_word")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReturnRequest], search_term: str
    ) -> tuple[QuerySet[ReturnRequest], bool]:
        """By the beginning of the number, which has an index."""
        term = search_term.strip()
        if term:
            starts = Q(order__reference__startswith=term) | Q(order__reference__startswith=term.upper())
            queryset = queryset.filter(starts)
        return queryset, False

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: ReturnRequest) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: ReturnRequest) -> str:
        return link(row.order)

    @column(gettext_lazy("Motivo"))
    def reason(self, row: ReturnRequest) -> str:
        return said(ReasonKind.RETURN, Why(row.reason_code))

    @column(gettext_lazy("La pide"))
    def asked_word(self, row: ReturnRequest) -> str:
        return who(row.asked_by)

    @column(gettext_lazy("Por qué no"))
    def answered_word(self, row: ReturnRequest) -> str:
        return said(ReasonKind.NO_RETURN, Why(row.answer_code)) if row.answer_code else "–"

    def panels(self, request: HttpRequest, obj: ReturnRequest) -> Iterable[Panel]:
        rows = [
            (one.line.title, one.line.sku, one.units, "–" if one.good is None else one.good, one.flaw or "–")
            for one in lines_of(obj)
        ]
        heads = (_("Artículo"), _("SKU"), _("Unidades"), _("Están bien"), _("Qué les pasa a las demás"))
        return [Panel(_("Artículos"), heads, rows, numbers=(2, 3))]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What this operator may do to it now."""
        row = self.get_object(request, str(object_id))
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        return [
            one
            for one in super().get_actions_detail(request, object_id)
            if row is not None and judge(row, one.path, by=by, at=at) is None
        ]

    @act(gettext_lazy("Aceptarla"), icon="task_alt")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "accept", _("Aceptarla"))

    @act(gettext_lazy("Mandar las instrucciones"), icon="mail")
    def instruct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "instruct", _("Mandar las instrucciones"))

    @act(gettext_lazy("Rechazarla"), icon="block")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "refuse", _("Rechazarla"))

    @act(gettext_lazy("Ha llegado a la tienda"), icon="inventory")
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "receive", _("Ha llegado a la tienda"))

    @act(gettext_lazy("Darla por revisada"), icon="fact_check")
    def inspect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "inspect", _("Darla por revisada"))

    @act(gettext_lazy("Reembolsar lo que está bien"), icon="payments")
    def pay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "pay", _("Reembolsar lo que está bien"))

    @act(gettext_lazy("Recambio enviado"), icon="local_shipping")
    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "replace", _("Recambio enviado"))

    @act(gettext_lazy("No admitirla"), icon="block")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "reject", _("No admitirla"))

    @act(gettext_lazy("El cliente se lo queda"), icon="undo")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, "withdraw", _("El cliente se lo queda"))

    def _do(self, request: HttpRequest, object_id: str, verb: str, label: str) -> HttpResponse:
        row = found(ReturnRequest, object_id)
        back = self.address("change", row.pk)
        sent = request.POST if request.method == "POST" else None
        form = FORMS[verb](sent, row=row, lines=lines_of(row))
        if not form.is_valid():
            title = f"{row.order.reference}/{row.number}: {label}"
            intro = _("Se hace en lugar de la tienda. El cliente y la tienda reciben un aviso.")
            return self.ask(request, form, title, back=back, label=label, intro=intro)
        outcome = Outcome[ReturnRequest]([row], [])
        try:
            form.carry_out(by=operator(request.user), at=timezone.now())  # type: ignore[arg-type]
        except MoveRefused as refused:
            outcome = Outcome([], [refused.refusal])
        waits.forget()
        if outcome.moved:
            bell.ring(*FOLLOWERS)
        tell(
            request,
            outcome,
            _("Hecho. Devoluciones: %(n)s."),
            lambda pk: f"{row.order.reference}/{row.number}",
        )
        return HttpResponseRedirect(back)


def returns_panel(order: Order) -> Panel:
    """The returns of an order, on its own page."""
    rows = [
        (link(one), one.get_state_display(), said(ReasonKind.RETURN, Why(one.reason_code)), moment(one.asked_at),
         moment(one.due_by) if one.due_by else "–")
        for one in ReturnRequest.objects.filter(order=order).order_by("-number")
    ]  # fmt: skip
    headers = (_("Devolución"), _("Estado"), _("Motivo"), _("Pedida"), _("Plazo"))
    return Panel(_("Devoluciones"), headers, rows)


ORDER_PANELS.append(returns_panel)

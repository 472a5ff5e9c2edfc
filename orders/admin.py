"""The operators' rooms of orders: looking them up, acting on them through the services, and what is held (ROL-02)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)

from marketplace import bell
from marketplace.refusals import Outcome, Refusal
from marketplace.rooms import EstimatingPaginator, Panel, ReadingRoom, act, column, link, moment, money, register, tell
from orders import services
from orders.admin_forms import FORMS, NoteForm
from orders.models import Hold, Order
from orders.signals import Moved
from orders.states import FINAL, HoldKind, State, Verb
from sellers.desk import operator

AT_MOST = 1000
"""How many orders one act of the list may be about."""

FOLLOWERS = ("charge", "payback", "notices")
"""The timers that do what follows from an act on orders."""

ORDER_PANELS: list[Callable[[Order], Panel]] = []
"""Tables that the apps above add to the page of an order."""

COLOURS: dict[str, str] = {
    State.PENDING_ACCEPTANCE: "warning",
    State.DEBIT: "info",
    State.AWAITING_SHIPMENT: "info",
    State.AWAITING_PICKUP: "info",
    State.SHIPPED: "primary",
    State.DELIVERED: "success",
    State.RECEIVED: "success",
    State.CLOSED: "default",
    State.REFUSED: "danger",
    State.CANCELLED: "danger",
    State.FAILED: "danger",
}
_DEADLINES = {
    State.PENDING_ACCEPTANCE: "accept_by",
    State.AWAITING_SHIPMENT: "ship_by",
    State.AWAITING_PICKUP: "ship_by",
    State.SHIPPED: "deliver_by",
    State.DELIVERED: "receive_at",
}


class HeldFilter(SimpleListFilter):
    """Orders in wait, or not."""

    title = gettext_lazy("en espera")
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


def lines_panel(order: Order) -> Panel:
    """What was bought, and what was answered to each line."""
    headers = (_("Artículo"), _("SKU"), _("Unidades"), _("Enviadas"), _("Importe"), _("Envío"), _("Respuesta"))
    rows = [
        (one.title, one.sku, one.quantity, one.shipped_quantity, money(one.goods_cents, order.currency),
         money(one.shipping_cents, order.currency), f"{one.get_decision_display()} {one.refuse_reason}".strip())
        for one in order.lines.all()
    ]  # fmt: skip
    return Panel(_("Líneas"), headers, rows)


def parcels_panel(order: Order) -> Panel:
    """What was handed to which carrier."""
    headers = (_("Bulto"), _("Transportista"), _("Seguimiento"), _("Entregado al transportista"), _("Entregado"))
    rows = []
    for one in order.shipments.all():
        linked = one.tracking_url.startswith(("https://", "http://"))
        number = format_html('<a href="{}" rel="noopener" class="text-link">{}</a>', one.tracking_url, one.tracking)
        rows.append(
            (one.number, one.carrier_name, number if linked else one.tracking, moment(one.handed_over_at), moment(one.delivered_at))
        )  # fmt: skip
    return Panel(_("Bultos"), headers, rows)


def holds_panel(order: Order) -> Panel:
    """Why the order waits or has waited."""
    headers = (_("Retención"), _("Explicación"), _("Desde"), _("Puesta por"), _("Hasta"), _("Levantada"), _("Por"))
    rows = [
        (str(one), one.note, moment(one.placed_at), one.placed_by, moment(one.until), moment(one.released_at), one.released_by)
        for one in order.holds.all()
    ]  # fmt: skip
    return Panel(_("Retenciones"), headers, rows)


def events_panel(order: Order) -> Panel:
    """The history that nobody can edit (ORD-11)."""
    headers = (_("Cuándo"), _("Qué"), _("Antes"), _("Después"), _("Quién"), _("Detalle"))
    words = dict(State.choices)
    rows = [
        (moment(one.at), one.get_verb_display(), words.get(one.before, "–"), words.get(one.after, one.after), one.by,
         ", ".join(f"{key}: {value}" for key, value in one.data.items() if value))
        for one in order.events.all()
    ]  # fmt: skip
    return Panel(_("Historial"), headers, rows)


def offered(order: Order, request: HttpRequest) -> set[str]:
    """The acts that this operator may make on this order now (ORD-10)."""
    by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
    verbs = {verb.value for verb in FORMS if services.judge(order, verb, by=by, at=at) is None}
    if order.state not in FINAL:
        verbs.add(Verb.HOLD.value)
        if order.held_at or order.incident_at:
            verbs.add(Verb.RELEASE.value)
    return verbs


@register(Order)
class OrderAdmin(ReadingRoom):
    """Every order; it is only read here, and moves through the services like everywhere else (ORD-10, ORD-11)."""

    list_display = ("reference", "state_word", "held", "shop", "channel", "customer_name", "total", "placed_at", "next_deadline")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("channel", RelatedDropdownFilter),
        ("shop", AutocompleteSelectFilter),
        HeldFilter,
        ("placed_at", DaysFilter),
    )
    list_select_related = ("shop", "channel")
    search_fields = ("reference",)
    search_help_text = gettext_lazy("El principio del número de pedido, o el correo entero del cliente.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("deliver_many", "release_many", "cancel_many")
    actions_detail = tuple(verb.value for verb in FORMS)

    fieldsets = (
        (None, {"fields": ("reference", "state_word", "held", "shop", "manager", "channel", "policy", "basket")}),
        (gettext_lazy("Importes"), {"fields": ("goods", "shipping", "total", "commission", "charged", "refunded", "basket_total", "basket_paid")}),
        (gettext_lazy("Momentos y plazos"), {"fields": ("placed_at", "accept_by", "accepted_at", "debited_at", "ship_by", "shipped_at", "deliver_by", "delivered_at", "receive_at", "received_at", "ended_at")}),
        (gettext_lazy("Cliente"), {"fields": ("customer_name", "customer_email", "customer_phone", "street", "postal_code", "city", "region", "country")}),
    )  # fmt: skip
    readonly_fields = (
        "state_word", "held", "manager", "goods", "shipping", "total", "commission", "charged", "refunded",
        "basket_total", "basket_paid",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        if not object_id.isdecimal():
            return None
        related = ("shop__account_manager", "channel", "policy__channel", "basket")
        return self.get_queryset(request).select_related(*related).filter(pk=object_id).first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By the beginning of the number or the whole e-mail address: both have an index, nothing else is read."""
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(customer_email__in={term, term.lower()}), False
        if term:
            queryset = queryset.filter(Q(reference__startswith=term) | Q(reference__startswith=term.upper()))
        return queryset, False

    def panels(self, request: HttpRequest, obj: Order) -> Iterable[Panel]:
        own = (lines_panel, parcels_panel, holds_panel)
        return [make(obj) for make in (*own, *ORDER_PANELS, events_panel)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        order = self.get_object(request, str(object_id))
        verbs = offered(order, request) if order else set()
        return [one for one in super().get_actions_detail(request, object_id) if one.path in verbs]

    def _one(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        """Ask for what an act on one order needs, make it, and say why not when it is refused."""
        order = get_object_or_404(Order, pk=object_id)
        form = FORMS[verb](request.POST if request.method == "POST" else None, order=order)
        back, status = self.address("change", order.pk), 200
        if form.is_valid():
            by = operator(request.user)  # type: ignore[arg-type]
            outcome = form.carry_out([order.pk], by=by, at=timezone.now())
            if outcome.moved:
                bell.ring(*FOLLOWERS)
                messages.success(request, _("%(order)s: hecho.") % {"order": order.reference})
                return HttpResponseRedirect(back)
            form.add_error(None, outcome.refused[0].text)
            status = 409
        title = f"{order.reference}: {getattr(self, verb.value).short_description}"
        submit = getattr(self, verb.value).short_description
        return self.ask(request, form, title, back=back, status=status, submit=submit, panels=[lines_panel(order)])

    def _many(self, request: HttpRequest, rows: QuerySet[Order], verb: Verb, name: str) -> HttpResponse | None:
        """Ask once, act on all the orders chosen, and tell what became of each."""
        ids = list(rows.order_by("id").values_list("id", flat=True)[: AT_MOST + 1])
        if len(ids) > AT_MOST:
            messages.error(request, _("Son más de %(n)s pedidos: elige menos de una vez.") % {"n": AT_MOST})
            return None
        form = FORMS[verb](request.POST if "apply" in request.POST else None)
        if form.is_valid():
            by = operator(request.user)  # type: ignore[arg-type]
            report(request, form.carry_out(ids, by=by, at=timezone.now()))
            return None
        title = getattr(self, name).short_description
        carried = [("action", name), ("select_across", "0"), *(("_selected_action", str(pk)) for pk in ids)]
        intro = _("Pedidos elegidos: %(n)s.") % {"n": len(ids)}
        return self.ask(request, form, title, back=request.get_full_path(), carried=carried, intro=intro)

    @act(gettext_lazy("Aceptar"), icon="check")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.ACCEPT)

    @act(gettext_lazy("Rechazar"), icon="block")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.REFUSE)

    @act(gettext_lazy("Cancelar el pedido"), icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.CANCEL)

    @act(gettext_lazy("Listo para recoger"), icon="package_2")
    def ready(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.READY)

    @act(gettext_lazy("Enviar un bulto"), icon="local_shipping")
    def ship(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.SHIP)

    @act(gettext_lazy("Confirmar la entrega"), icon="task_alt")
    def deliver(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.DELIVER)

    @act(gettext_lazy("Poner en espera"), icon="pause")
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.HOLD)

    @act(gettext_lazy("Levantar la espera"), icon="play_arrow")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.RELEASE)

    @act(gettext_lazy("Confirmar la entrega"))
    def deliver_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._many(request, rows, Verb.DELIVER, "deliver_many")

    @act(gettext_lazy("Levantar una retención"))
    def release_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._many(request, rows, Verb.RELEASE, "release_many")

    @act(gettext_lazy("Cancelar los pedidos"))
    def cancel_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._many(request, rows, Verb.CANCEL, "cancel_many")

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, order: Order) -> tuple[str, str]:
        return order.state, str(State(order.state).label)

    @column(gettext_lazy("En espera"))
    def held(self, order: Order) -> str:
        since = order.held_at or order.incident_at
        return _("desde %(moment)s") % {"moment": moment(since)} if since else "–"

    @column(gettext_lazy("Siguiente plazo"))
    def next_deadline(self, order: Order) -> str:
        name = _DEADLINES.get(State(order.state))
        return moment(getattr(order, name)) if name else "–"

    @column(gettext_lazy("Gestor de cuenta"))
    def manager(self, order: Order) -> str:
        return str(order.shop.account_manager or "–")

    @column(gettext_lazy("Artículos"))
    def goods(self, order: Order) -> str:
        return money(order.goods_cents, order.currency)

    @column(gettext_lazy("Envío"))
    def shipping(self, order: Order) -> str:
        return money(order.shipping_cents, order.currency)

    @column(gettext_lazy("Total"))
    def total(self, order: Order) -> str:
        return money(order.total_cents, order.currency)

    @column(gettext_lazy("Comisión e IVA"))
    def commission(self, order: Order) -> str:
        return f"{money(order.commission_cents, order.currency)} + {money(order.commission_vat_cents, order.currency)}"

    @column(gettext_lazy("Cobrado"))
    def charged(self, order: Order) -> str:
        return money(order.charged_cents, order.currency)

    @column(gettext_lazy("Devuelto"))
    def refunded(self, order: Order) -> str:
        return money(order.refunded_cents, order.currency)

    @column(gettext_lazy("Total de la cesta"))
    def basket_total(self, order: Order) -> str:
        return money(order.basket.total_cents, order.currency)

    @column(gettext_lazy("Pagado según el escaparate"))
    def basket_paid(self, order: Order) -> str:
        return money(order.basket.paid_cents, order.currency) if order.basket.payments else "–"

"""The operators' room of orders: looking them up, and acting through the services (ROL-02)."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
)

from marketplace import bell
from marketplace.countries import country_word
from marketplace.rooms import (
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ShopFilter,
    act,
    column,
    found,
    is_key,
    moment,
    money,
    register,
)
from orders import (
    admin_carriers,  # noqa: F401
    admin_exceptions,  # noqa: F401
    admin_figures,  # noqa: F401
    admin_holds,  # noqa: F401
    admin_rates,  # noqa: F401
    admin_requests,  # noqa: F401
    services,
)
from orders.admin_acts import FOLLOWERS
from orders.admin_filters import DaysFilter, HeldFilter, TurnFilter
from orders.admin_forms import FORMS
from orders.admin_many import VERBS, ManyOrders
from orders.admin_panels import (
    ORDER_PANELS,
    events_panel,
    exceptions_panel,
    holds_panel,
    invoice_words,
    lines_panel,
    parcels_panel,
    requests_panel,
)
from orders.models import Order
from orders.states import ASSIGNABLE, FINAL, State, Verb
from sellers.desk import operator
from sellers.queries import suppliers

COLOURS: dict[str, str] = {
    State.PENDING_PAYMENT: "warning",
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
    State.EXCEPTION: "warning",
    State.RETURNED: "danger",
}
_DEADLINES = {
    State.PENDING_PAYMENT: "pay_by",
    State.PENDING_ACCEPTANCE: "accept_by",
    State.AWAITING_SHIPMENT: "ship_by",
    State.AWAITING_PICKUP: "ship_by",
    State.SHIPPED: "deliver_by",
    State.DELIVERED: "receive_at",
}


def offered(order: Order, request: HttpRequest) -> set[str]:
    """The acts that this operator may make on this order now (ORD-10)."""
    by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
    verbs = {verb.value for verb, form in FORMS.items() if form.judged(order, by=by, at=at) is None}
    served = order.supplier_id is not None or order.shared
    if order.state in ASSIGNABLE and (served or suppliers(order.shop)):
        verbs.add(Verb.ASSIGN.value)
    if order.customer_email:
        verbs.add(Verb.LINKS_REVOKED.value)
    if services.may_shorten(order, by=by, at=at) is None:
        verbs.add(Verb.SHORTEN.value)
    if order.state not in FINAL:
        verbs.add(Verb.HOLD.value)
        if order.held_at:
            verbs.add(Verb.RELEASE.value)
    return verbs


STANDING = (("reference", "state", "held", "next_deadline"), ("shop", "manager", "basket", "policy"))
AMOUNTS = (
    ("goods", "shipping", "total"),
    ("commission", "charged", "refunded"),
    ("basket_total", "basket_paid"),
)
MOMENTS = (
    ("placed_at", "accept_by", "accepted_at"),
    ("debited_at", "ship_by", "shipped_at"),
    ("deliver_by", "delivered_at"),
    ("receive_at", "received_at", "ended_at"),
)
CUSTOMER = (
    ("customer_name", "customer_email", "customer_phone"),
    ("street", "postal_code", "city"),
    ("region", "country_name", "courier_note"),
    ("invoice", "invoice_to"),
)


@register(Order)
class OrderAdmin(ManyOrders):
    """Every order; only read here, it moves through the services like everywhere else (ORD-10, ORD-11)."""

    list_display = (
        "reference",
        "state_word",
        "next_deadline",
        "total",
        "shop",
        "customer_name",
        "placed",
        "held",
        "channel",
    )
    list_filter = (
        TurnFilter,
        ("state", ChoicesDropdownFilter),
        ("channel", ChannelFilter),
        ("shop", ShopFilter),
        HeldFilter,
        ("placed_at", DaysFilter),
    )
    list_select_related = ("shop", "channel")
    search_fields = ("reference",)
    search_help_text = gettext_lazy("El principio del número de pedido, o el correo entero del cliente.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = tuple(f"{verb.value}_many" for verb in VERBS)
    actions_detail = (
        Verb.CONFIRM_PAYMENT.value,
        Verb.REDIRECT.value,
        *(verb.value for verb in FORMS),
        Verb.INCIDENT_OPENED.value,
    )

    fieldsets = (
        (None, {"fields": STANDING}),
        (gettext_lazy("Importes"), {"classes": ("tab",), "fields": AMOUNTS}),
        (gettext_lazy("Momentos y plazos"), {"classes": ("tab",), "fields": MOMENTS}),
        (gettext_lazy("Cliente"), {"classes": ("tab",), "fields": CUSTOMER}),
    )
    readonly_fields = (
        "held",
        "next_deadline",
        "manager",
        "country_name",
        "invoice",
        *(name for row in AMOUNTS for name in row),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        if not is_key(object_id):
            return None
        related = ("shop__account_manager", "channel", "policy__channel", "basket")
        return self.get_queryset(request).select_related(*related).filter(pk=object_id).first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By the beginning of the number, which has an index, or by the whole e-mail address."""
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(customer_email__in={term, term.lower()}), False
        if term:
            queryset = queryset.filter(Q(reference__startswith=term) | Q(reference__startswith=term.upper()))
        return queryset, False

    def panels(self, request: HttpRequest, obj: Order) -> Iterable[Panel]:
        own = (lines_panel, parcels_panel, exceptions_panel, holds_panel, requests_panel)
        return [make(obj) for make in (*own, *ORDER_PANELS, events_panel)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        order = self.get_object(request, str(object_id))
        verbs = offered(order, request) if order else set()
        return [one for one in super().get_actions_detail(request, object_id) if one.path in verbs]

    def _one(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        """Ask for what an act on one order needs, make it, and say why not when it is refused."""
        order = found(Order, object_id)
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
        label = getattr(self, verb.value).short_description
        title = f"{order.reference}: {label}"
        return self.ask(
            request, form, title, back=back, status=status, label=label, panels=[lines_panel(order)]
        )

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

    @act(gettext_lazy("Confirmar al cliente"), icon="mark_email_read")
    def fulfil(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.FULFIL)

    @act(gettext_lazy("Faltan unidades"), icon="remove_shopping_cart")
    def shorten(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.SHORTEN)

    @act(gettext_lazy("Confirmar la entrega"), icon="task_alt")
    def deliver(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.DELIVER)

    @act(gettext_lazy("Confirmar el pago"), icon="payments")
    def confirm_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.CONFIRM_PAYMENT)

    @act(gettext_lazy("Entrega fallida"), icon="report")
    def report_exception(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.REPORT_EXCEPTION)

    @act(gettext_lazy("Enviar otra vez"), icon="replay")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.RETRY)

    @act(gettext_lazy("Ha vuelto a la tienda"), icon="undo")
    def return_to_sender(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.RETURN_TO_SENDER)

    @act(gettext_lazy("Redirigir a otro pedido"), icon="alt_route")
    def redirect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.REDIRECT)

    @act(gettext_lazy("Decir quién lo sirve"), icon="handyman")
    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.ASSIGN)

    @act(gettext_lazy("Poner en espera"), icon="pause")
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.HOLD)

    @act(gettext_lazy("Levantar la espera"), icon="play_arrow")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.RELEASE)

    @act(gettext_lazy("Anular los enlaces del cliente"), icon="link_off")
    def links_revoked(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.LINKS_REVOKED)

    @act(gettext_lazy("Abrir una incidencia"), icon="report_problem")
    def incident_opened(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, Verb.INCIDENT_OPENED)

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, order: Order) -> tuple[str, str]:
        return order.state, str(State(order.state).label)

    @column(gettext_lazy("En espera"))
    def held(self, order: Order) -> str:
        since = order.held_at or order.incident_at
        return _("desde %(moment)s") % {"moment": moment(since)} if since else "–"

    @column(gettext_lazy("Recibido"))
    def placed(self, order: Order) -> str:
        return moment(order.placed_at)

    @column(gettext_lazy("Siguiente plazo"))
    def next_deadline(self, order: Order) -> str:
        name = _DEADLINES.get(State(order.state))
        return moment(getattr(order, name)) if name else "–"

    @column(gettext_lazy("País"))
    def country_name(self, order: Order) -> str:
        return country_word(order.country)

    @column(gettext_lazy("Factura"))
    def invoice(self, order: Order) -> str:
        return invoice_words(order)

    @column(gettext_lazy("Gestor de cuenta"))
    def manager(self, order: Order) -> str:
        return str(order.shop.account_manager or "–")

    @column(gettext_lazy("Artículos"))
    def goods(self, order: Order) -> str:
        return money(order.goods_cents, order.currency)

    @column(gettext_lazy("Envío"))
    def shipping(self, order: Order) -> str:
        return money(order.shipping_cents, order.currency)

    @column(gettext_lazy("Total"), formatting="price")
    def total(self, order: Order) -> str:
        return money(order.total_cents, order.currency)

    @column(gettext_lazy("Comisión e IVA"))
    def commission(self, order: Order) -> str:
        parts = (order.commission_cents, order.commission_vat_cents)
        return " + ".join(money(cents, order.currency) for cents in parts)

    @column(gettext_lazy("Cobrado"))
    def charged(self, order: Order) -> str:
        return money(order.charged_cents, order.currency)

    @column(gettext_lazy("Devuelto"))
    def refunded(self, order: Order) -> str:
        return money(order.refunded_cents, order.currency)

    @column(gettext_lazy("Total de la cesta"), formatting="price")
    def basket_total(self, order: Order) -> str:
        return money(order.basket.total_cents, order.currency)

    @column(gettext_lazy("Pagado según el escaparate"))
    def basket_paid(self, order: Order) -> str:
        return money(order.basket.paid_cents, order.currency) if order.basket.payments else "–"

"""The operators' room of incidents: what is in hand, what is due for review; closed, or sent back (INC-05)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from incidents import services
from incidents.admin_forms import CloseForm, SendBackForm
from incidents.models import Incident
from incidents.services import judge
from incidents.states import STANDING, State, Turn
from marketplace import bell, waits
from marketplace.models import ReasonKind
from marketplace.policy import ROLE_LABELS, Role
from marketplace.reasons import Why, said
from marketplace.refusals import Code, MoveRefused, Outcome
from marketplace.rooms import (
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    RoomForm,
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
from sellers.desk import operator, who

SALT = "incidents.many"
GOOD_FOR_S = 3600
"""How long what was seen may wait to be confirmed."""

AT_MOST = 1000
COLOURS = {State.OPEN: "danger", State.RESOLVED: "info", State.CLOSED: "success"}
FOLLOWERS = ("notices", "receive")
"""The timers that do what follows from closing an incident."""


def to_review() -> QuerySet[Incident]:
    """Resolved incidents whose quiet time is over (INC-05)."""
    return Incident.objects.filter(review_since__isnull=False)


waits.add(
    waits.Wait(
        4,
        "incidents",
        gettext_lazy("Incidencias por revisar"),
        gettext_lazy("La tienda las da por resueltas y nadie ha dicho más. Ciérralas o devuélvelas."),
        "incidents_incident_changelist",
        "?situation=review",
        to_review,
    )
)


class SituationFilter(SimpleListFilter):
    """In hand, due for review, or closed."""

    title = gettext_lazy("situación")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("review", _("Por revisar")),
            ("standing", _("En curso")),
            ("late", _("Sin contestar a tiempo")),
            ("closed", _("Cerradas")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        where = {
            "review": Q(review_since__isnull=False),
            "standing": Q(state__in=STANDING),
            "late": Q(state__in=STANDING, answer_by__lt=timezone.now()),
            "closed": Q(state=State.CLOSED),
        }
        value = self.value()
        return queryset.filter(where[value]) if value in where else queryset


@register(Incident)
class IncidentAdmin(ReadingRoom):
    """Every incident; those due for review first where one looks for them."""

    list_display = (
        "reference", "state_word", "turn_word", "reason", "shop_word", "opened_at", "answer_by", "close_due_at",
        "messages_count",
    )  # fmt: skip
    list_filter = (
        SituationFilter,
        ("state", ChoicesDropdownFilter),
        ("turn", ChoicesDropdownFilter),
        ("shop", ShopFilter),
    )
    list_select_related = ("shop",)
    search_fields = ("reference",)
    search_help_text = gettext_lazy("El principio del número de pedido.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("close_many",)
    actions_detail = ("close", "send_back")
    fields = (
        "order_word", "shop_word", "state", "turn_word", "reason", "opened_at", "opened_word", "answer_by",
        "resolved_at", "resolved_word", "solved", "sent_back_at", "sent_back_reason", "quiet_since", "close_due_at",
        "closed_at", "closed_word", "closed_how",
    )  # fmt: skip
    readonly_fields = (
        "order_word", "shop_word", "turn_word", "reason", "opened_word", "resolved_word", "solved", "closed_word",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Incident], search_term: str
    ) -> tuple[QuerySet[Incident], bool]:
        """By the beginning of the number, which has an index."""
        term = search_term.strip()
        if term:
            queryset = queryset.filter(Q(reference__startswith=term) | Q(reference__startswith=term.upper()))
        return queryset, False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.many)
        return [path("many/", view, name="incidents_incident_many"), *super().get_urls()]

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: Incident) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @column(gettext_lazy("Le toca a"))
    def turn_word(self, row: Incident) -> str:
        return str(Turn(row.turn).label) if row.turn else "–"

    @column(gettext_lazy("Motivo"))
    def reason(self, row: Incident) -> str:
        return said(ReasonKind.INCIDENT, Why(row.reason_code, row.reason_note))

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: Incident) -> str:
        return link(row.order)

    @column(gettext_lazy("Abierta por"))
    def opened_word(self, row: Incident) -> str:
        return f"{who(row.opened_by)} ({ROLE_LABELS[Role(row.opened_role)]})"

    @column(gettext_lazy("Resuelta por"))
    def resolved_word(self, row: Incident) -> str:
        return who(row.resolved_by) or "–"

    @column(gettext_lazy("Cómo se resolvió"))
    def solved(self, row: Incident) -> str:
        return said(ReasonKind.SOLVED, Why(row.resolved_code, row.resolved_note)) or "–"

    @column(gettext_lazy("Cerrada por"))
    def closed_word(self, row: Incident) -> str:
        return who(row.closed_by) or "–"

    def panels(self, request: HttpRequest, obj: Incident) -> Iterable[Panel]:
        return [_lines_panel(obj), _messages_panel(obj)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What this operator may do to it now."""
        row = self.get_object(request, str(object_id))
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        return [
            one
            for one in super().get_actions_detail(request, object_id)
            if row is not None and judge(row, one.path, by=by, at=at) is None
        ]

    @act(gettext_lazy("Cerrar la incidencia"), icon="task_alt")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close one, if nothing was said since its page was read."""
        row = found(Incident, object_id)
        sent = request.POST if request.method == "POST" else None
        form = CloseForm(sent, initial={"seen": row.messages_count})
        if form.is_valid():
            outcome = services.close(
                [row.id],
                seen={row.id: form.cleaned_data["seen"]},
                by=operator(request.user),  # type: ignore[arg-type]
                at=timezone.now(),
            )
            return self._done(request, outcome, self.address("change", row.pk))
        intro = _("El pedido deja de estar retenido por ella, y la tienda y el cliente reciben un aviso.")
        return self._asked(request, row, form, _("Cerrar la incidencia"), intro)

    @act(gettext_lazy("Devolver a la tienda"), icon="undo")
    def send_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say why it is not solved: it is open again."""
        row = found(Incident, object_id)
        form = SendBackForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by, reason = operator(request.user), form.cleaned_data["reason"]  # type: ignore[arg-type]
            try:
                moved = services.send_back(row.id, reason=reason, by=by, at=timezone.now())
            except MoveRefused as refused:
                outcome = Outcome[Incident]([], [refused.refusal])
            else:
                outcome = Outcome([moved], [])
            return self._done(request, outcome, self.address("change", row.pk))
        intro = _("Vuelve a estar abierta, y la tienda y el cliente reciben un aviso.")
        return self._asked(request, row, form, _("Devolver a la tienda"), intro)

    def _asked(
        self, request: HttpRequest, row: Incident, form: RoomForm, label: str, intro: str
    ) -> HttpResponse:
        title, back = f"{row.reference}: {label}", self.address("change", row.pk)
        panels = [_messages_panel(row)]
        return self.ask(request, form, title, back=back, label=label, intro=intro, panels=panels)

    def _done(self, request: HttpRequest, outcome: Outcome[Incident], back: str) -> HttpResponse:
        waits.forget()
        if outcome.moved:
            bell.ring(*FOLLOWERS)
        ids = [refusal.id for refusal in outcome.refused]
        names = dict(Incident.objects.filter(id__in=ids).values_list("id", "reference"))
        tell(request, outcome, _("Hecho. Incidencias: %(n)s."), lambda pk: names.get(pk, str(pk)))
        return HttpResponseRedirect(back)

    @act(gettext_lazy("Cerrar las elegidas"))
    def close_many(self, request: HttpRequest, rows: QuerySet[Incident]) -> HttpResponse | None:
        """The page of what will become of each one chosen; nothing is done yet."""
        chosen = list(rows.select_related("shop").order_by("id")[: AT_MOST + 1])
        if len(chosen) > AT_MOST:
            words = _("Son más de %(n)s incidencias: elige menos de una vez. No se ha hecho nada.")
            messages.error(request, words % {"n": AT_MOST})
            return None
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        foreseen = [(one, judge(one, "close", by=by, at=at)) for one in chosen]
        going = [one for one, code in foreseen if code is None]
        seen = {"going": [(one.id, one.messages_count) for one in going], "user": request.user.pk}
        n = len(going)
        confirm = ngettext("Cerrar %(n)s incidencia", "Cerrar %(n)s incidencias", n) % {"n": n}
        return self.page(
            request, "rooms/many.html", _("Cerrar las elegidas"), form=RoomForm(), said=_summary(foreseen, n),
            going=n, confirm=confirm, address=self.address("many"), back=self.address("changelist"),
            seen=signing.dumps(seen, salt=SALT, compress=True), panels=[_preview(foreseen)],
            none=_("No puede cerrarse ninguna de las elegidas."),
        )  # fmt: skip

    def many(self, request: HttpRequest) -> HttpResponse:
        """Close those that were shown and in which nothing was said since."""
        back = self.address("changelist")
        if request.method != "POST":
            return HttpResponseRedirect(back)
        try:
            told: dict[str, Any] = signing.loads(request.POST.get("seen", ""), salt=SALT, max_age=GOOD_FOR_S)
        except signing.BadSignature:
            told = {}
        if told.get("user") != request.user.pk:
            messages.error(request, _("Lo que viste ha caducado: vuelve a elegirlas. No se ha hecho nada."))
            return HttpResponseRedirect(back)
        seen = dict(told["going"])
        by = operator(request.user)  # type: ignore[arg-type]
        outcome = services.close(list(seen), seen=seen, by=by, at=timezone.now())
        return self._done(request, outcome, back)


def _summary(foreseen: Sequence[tuple[Incident, Code | None]], n: int) -> list[str]:
    said = [ngettext("Se cerrará %(n)s incidencia.", "Se cerrarán %(n)s incidencias.", n) % {"n": n}]
    rest = len(foreseen) - n
    if rest:
        words = ngettext("%(n)s se queda como está.", "%(n)s se quedan como están.", rest)
        said.append(words % {"n": rest})
    return said


def _preview(foreseen: Sequence[tuple[Incident, Code | None]]) -> Panel:
    rows = [
        (
            link(one),
            _("nada: %(why)s") % {"why": str(code.label).rstrip(".")} if code else _("se cierra"),
            one.get_state_display(),
            moment(one.quiet_since),
            one.messages_count,
            str(one.shop),
        )
        for one, code in foreseen
    ]
    headers = (
        _("Incidencia"), _("Qué pasará"), _("Estado"), _("En silencio desde"), _("Mensajes"), _("Tienda"),
    )  # fmt: skip
    return Panel(_("Qué pasará con cada una"), headers, rows, numbers=(4,))


def _lines_panel(incident: Incident) -> Panel:
    rows = [
        (one.line.title, one.line.sku, one.line.quantity) for one in incident.lines.select_related("line")
    ]
    return Panel(_("Artículos"), (_("Artículo"), _("SKU"), _("Unidades")), rows, numbers=(2,))


def _messages_panel(incident: Incident) -> Panel:
    """What was said, the last first, and to whom."""
    names = (
        ("to_customer", ROLE_LABELS[Role.CUSTOMER]),
        ("to_shop", ROLE_LABELS[Role.SELLER]),
        ("to_operator", ROLE_LABELS[Role.OPERATOR]),
    )
    rows = [
        (
            moment(one.written_at),
            f"{who(one.author)} ({ROLE_LABELS[Role(one.role)]})",
            ", ".join(str(name) for column, name in names if getattr(one, column)),
            one.body,
        )
        for one in incident.thread.messages.order_by("-id")[:50]
    ]
    return Panel(_("Mensajes"), (_("Cuándo"), _("De"), _("Para"), _("Texto")), rows)


def incidents_panel(order: Order) -> Panel:
    """The incidents of an order, on its own page."""
    rows = [
        (link(one), one.get_state_display(), said(ReasonKind.INCIDENT, Why(one.reason_code, one.reason_note)),
         moment(one.opened_at), moment(one.closed_at))
        for one in Incident.objects.filter(order=order).order_by("-number")
    ]  # fmt: skip
    headers = (_("Incidencia"), _("Estado"), _("Motivo"), _("Abierta"), _("Cerrada"))
    return Panel(_("Incidencias"), headers, rows)


ORDER_PANELS.append(incidents_panel)

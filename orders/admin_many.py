"""Acts on many orders at once: first a page of what each will do, then the act, then a report (ROL-02, ORD-10).

What the first page showed travels signed to the second: an order that moved in between is left alone and told, so that
nothing is done that nobody saw coming, and a second click does nothing twice.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import bell
from marketplace.csv_cells import plain
from marketplace.refusals import Code, Outcome, Refusal
from marketplace.rooms import Panel, ReadingRoom, act, link, money
from orders import services
from orders.admin_acts import AT_MOST, FOLLOWERS
from orders.admin_forms import FORMS, VerbForm
from orders.admin_preview import Foreseen, done_words, foresee, summary, why_words
from orders.models import Order
from orders.signals import Moved
from orders.states import State, Verb
from sellers.desk import Actor, operator

logger = logging.getLogger(__name__)

SALT = "orders.many"
GOOD_FOR_S = 3600
"""How long what was seen may wait to be confirmed."""

VERBS = (
    Verb.ACCEPT, Verb.REFUSE, Verb.CONFIRM_PAYMENT, Verb.CANCEL, Verb.READY, Verb.DELIVER, Verb.REPORT_EXCEPTION,
    Verb.RETRY, Verb.RETURN_TO_SENDER, Verb.HOLD, Verb.RELEASE,
)  # fmt: skip
"""What can be done to many at once: all but shipping, which needs a number for each parcel."""


type Seen = Mapping[int, str]
"""Orders as they were shown: id to the moment of their last event."""


def _as_seen(form: VerbForm, seen: Seen, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Make the act on the orders that still are as they were shown; under the lock, so that they stay so."""
    with transaction.atomic():
        locked = {order.id: order.moved_at.isoformat() for order in services.lock_orders(seen)}
        fresh = [pk for pk, moved_at in seen.items() if locked.get(pk) == moved_at]
        outcome = form.carry_out(fresh, by=by, at=at)
    changed = [Refusal(pk, Code.CHANGED) for pk in seen if pk not in set(fresh)]
    return Outcome(outcome.moved, [*outcome.refused, *changed])


def _carry_out(form: VerbForm, seen: Seen, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Make the act on all at once; where something breaks, one by one, so that one bad order never stops the rest."""
    try:
        return _as_seen(form, seen, by=by, at=at)
    except Exception:
        logger.exception("an act on %s orders is tried one by one", len(seen))
    moved: list[Moved] = []
    refused: list[Refusal] = []
    for order_id, moved_at in seen.items():
        try:
            outcome = _as_seen(form, {order_id: moved_at}, by=by, at=at)
        except Exception:
            logger.exception("the act fails on order %s", order_id)
            refused.append(Refusal(order_id, Code.FAILED))
        else:
            moved += outcome.moved
            refused += outcome.refused
    return Outcome(moved, refused)


class ManyOrders(ReadingRoom):
    """The list's acts on many orders."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("many/", self.admin_site.admin_view(self.many), name="orders_order_many"),
            path(
                "many/report/", self.admin_site.admin_view(self.many_report), name="orders_order_many_report"
            ),
        ]
        return [*own, *super().get_urls()]

    def _choose(self, request: HttpRequest, rows: QuerySet[Order], verb: Verb) -> HttpResponse | None:
        """The page of what each order chosen will do; nothing is done yet."""
        ids = list(rows.order_by("id").values_list("id", flat=True)[: AT_MOST + 1])
        if len(ids) > AT_MOST:
            words = _("Son más de %(n)s pedidos: elige menos de una vez. No se ha hecho nada.")
            messages.error(request, words % {"n": AT_MOST})
            return None
        if verb == Verb.CONFIRM_PAYMENT and rows.order_by().values("basket_id").distinct().count() > 1:
            messages.error(request, _several_baskets())
            return None
        return self._preview(request, verb, ids, FORMS[verb]())

    def _preview(
        self, request: HttpRequest, verb: Verb, ids: Sequence[int], form: VerbForm, *, status: int = 200
    ) -> HttpResponse:
        by = operator(request.user)  # type: ignore[arg-type]
        orders = Order.objects.filter(id__in=list(ids)).select_related("shop", "policy").order_by("id")
        foreseen = foresee(orders, verb, by=by, at=timezone.now())
        going = [(one.order.pk, one.order.moved_at.isoformat()) for one in foreseen if one.code is None]
        left = [(one.order.pk, str(one.code)) for one in foreseen if one.code is not None]
        seen = {"verb": verb.value, "going": going, "left": left, "user": request.user.pk}
        label = self._label(verb)
        n = len(going)
        confirm = ngettext("%(act)s: %(n)s pedido", "%(act)s: %(n)s pedidos", n) % {"act": label, "n": n}
        return self.page(
            request, "rooms/many.html", label, status=status, form=form, said=summary(foreseen, verb),
            going=n, confirm=confirm, address=self.address("many"), back=self.address("changelist"),
            seen=signing.dumps(seen, salt=SALT, compress=True), panels=[_panel(foreseen, verb)],
        )  # fmt: skip

    def _label(self, verb: Verb) -> str:
        return str(getattr(self, f"{verb.value}_many").short_description)

    def _seen(self, request: HttpRequest, salt: str) -> dict[str, Any] | None:
        """What this operator was shown within the hour; None for what is old, forged, or somebody else's."""
        try:
            seen: dict[str, Any] = signing.loads(request.POST.get("seen", ""), salt=salt, max_age=GOOD_FOR_S)
        except signing.BadSignature:
            return None
        return seen if seen["user"] == request.user.pk else None

    def many(self, request: HttpRequest) -> HttpResponse:
        """Do what was foreseen to the orders that still are as they were, and tell what became of each."""
        seen = self._seen(request, SALT) if request.method == "POST" else None
        if seen is None:
            if request.method == "POST":
                messages.error(
                    request, _("Lo que viste ha caducado: vuelve a elegir los pedidos. No se ha hecho nada.")
                )
            return HttpResponseRedirect(self.address("changelist"))
        verb = Verb(seen["verb"])
        form = FORMS[verb](request.POST)
        if not form.is_valid():
            ids = [pk for pk, _told in (*seen["going"], *seen["left"])]
            return self._preview(request, verb, ids, form, status=422)
        by = operator(request.user)  # type: ignore[arg-type]
        outcome = _carry_out(form, dict(seen["going"]), by=by, at=timezone.now())
        if outcome.moved:
            bell.ring(*FOLLOWERS)
        refused = [(one.id, str(one.code), one.detail) for one in outcome.refused]
        refused += [(pk, code, "") for pk, code in seen["left"]]
        return self._report(request, verb, [move.order_id for move in outcome.moved], refused)

    def _report(
        self, request: HttpRequest, verb: Verb, moved: Sequence[int], refused: Sequence[tuple[int, str, str]]
    ) -> HttpResponse:
        orders = Order.objects.select_related("shop").in_bulk([pk for pk, _code, _detail in refused])
        rows = [
            (link(orders[pk]), _why(orders[pk], code, detail), str(orders[pk].shop))
            for pk, code, detail in refused
            if pk in orders
        ]
        n, rest = len(moved), len(refused)
        said = [ngettext("Hecho en %(n)s pedido.", "Hecho en %(n)s pedidos.", n) % {"n": n}]
        if rest:
            words = ngettext("%(n)s se ha quedado como estaba.", "%(n)s se han quedado como estaban.", rest)
            said.append(words % {"n": rest})
        told = {"verb": verb.value, "moved": list(moved), "refused": list(refused), "user": request.user.pk}
        panels = (
            [Panel(_("Como estaban, y por qué"), (_("Pedido"), _("Por qué"), _("Tienda")), rows)]
            if rows
            else []
        )
        return self.page(
            request, "rooms/many_report.html", self._label(verb), said=said, panels=panels,
            address=self.address("many_report"), back=self.address("changelist"),
            seen=signing.dumps(told, salt=f"{SALT}.report", compress=True),
        )  # fmt: skip

    def many_report(self, request: HttpRequest) -> HttpResponse:
        """The report as a file: a line an order, done or not, and why not."""
        told = self._seen(request, f"{SALT}.report") if request.method == "POST" else None
        if told is None:
            return HttpResponseRedirect(self.address("changelist"))
        response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{told["verb"]}.csv"'
        file = csv.writer(response)
        file.writerow([_("Pedido"), _("Tienda"), _("Hecho"), _("Por qué")])
        why = {pk: (code, detail) for pk, code, detail in told["refused"]}
        orders = Order.objects.filter(id__in=[*told["moved"], *why]).select_related("shop").order_by("id")
        for order in orders:
            reason = _why(order, *why[order.pk]) if order.pk in why else ""
            file.writerow(
                [plain(order.reference), plain(str(order.shop)), _("no") if reason else _("sí"), reason]
            )
        return response

    @act(gettext_lazy("Aceptar enteros"))
    def accept_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.ACCEPT)

    @act(gettext_lazy("Rechazar los pedidos"))
    def refuse_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.REFUSE)

    @act(gettext_lazy("Confirmar el pago"))
    def confirm_payment_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.CONFIRM_PAYMENT)

    @act(gettext_lazy("Cancelar los pedidos"))
    def cancel_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.CANCEL)

    @act(gettext_lazy("Listos para recoger"))
    def ready_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.READY)

    @act(gettext_lazy("Confirmar la entrega"))
    def deliver_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.DELIVER)

    @act(gettext_lazy("Entrega fallida"))
    def report_exception_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.REPORT_EXCEPTION)

    @act(gettext_lazy("Enviar otra vez"))
    def retry_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.RETRY)

    @act(gettext_lazy("Han vuelto a la tienda"))
    def return_to_sender_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.RETURN_TO_SENDER)

    @act(gettext_lazy("Poner en espera"))
    def hold_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.HOLD)

    @act(gettext_lazy("Levantar una espera"))
    def release_many(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse | None:
        return self._choose(request, rows, Verb.RELEASE)


def _several_baskets() -> str:
    return _(
        "Una referencia paga una sola cesta, y estos pedidos son de varias: confirma cada cesta por separado, o "
        "todas con un fichero de pagos. No se ha hecho nada."
    )


def _panel(foreseen: Sequence[Foreseen], verb: Verb) -> Panel:
    headers = (_("Pedido"), _("Qué pasará"), _("Estado"), _("Total"), _("Tienda"))
    rows = [
        (
            link(one.order),
            _("nada: %(why)s") % {"why": why_words(one.order, one.code)}
            if one.code
            else done_words(one, verb),
            State(one.order.state).label,
            money(one.order.total_cents, one.order.currency),
            str(one.order.shop),
        )
        for one in foreseen
    ]
    return Panel(_("Qué pasará con cada uno"), headers, rows, numbers=(3,))


def _why(order: Order, code: str, detail: str) -> str:
    return f"{why_words(order, Code(code))} {detail}".strip()

"""The operators' page of a run: rehearsed as often as one likes, then started (SET-01, SET-02)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import bell
from marketplace.models import Channel
from marketplace.refusals import MoveRefused
from marketplace.rooms import ChannelFilter, Panel, ReadingRoom, RoomForm, act, moment, money, register
from orders.states import HoldKind
from sellers.desk import operator
from settlements import queries, running
from settlements.models import Cycle
from settlements.running import Due, Run
from settlements.states import CarriedWhy

SHOWN = 500
ALWAYS = 2
"""The first columns of a rehearsal, what is paid and the difference from last time, are there whatever they say."""


class RunForm(RoomForm):
    """Which channel, and up to when."""

    channel = forms.ModelChoiceField(
        Channel.objects.select_related("policy").order_by("name"),
        label=gettext_lazy("Canal"),
        empty_label=None,
    )
    as_of = forms.DateTimeField(
        label=gettext_lazy("Hasta cuándo"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy(
            "En blanco, lo que toca según el calendario. Un momento que no ha llegado solo se ensaya; uno que ya ha "
            "pasado toma lo recibido hasta entonces que hoy esté libre."
        ),
    )


@register(Cycle)
class CycleAdmin(ReadingRoom):
    """The closings of each channel's calendar and those by hand, and the page that rehearses the next (SET-01)."""

    list_display = ("channel_word", "closes_at", "ended_at", "asked_by")
    fields = (("channel_word", "closes_at", "ended_at", "asked_by"),)
    readonly_fields = ("channel_word",)
    list_filter = (("channel", ChannelFilter),)
    list_select_related = ("channel",)
    actions_list = ("run",)

    @act(gettext_lazy("Ensayar o liquidar"), icon="play_circle")
    def run(self, request: HttpRequest) -> HttpResponse:
        """Rehearse a settlement, or start it: the timer closes it at once (SET-02)."""
        title, back = _("Ensayar o liquidar"), self.address("changelist")
        form = RunForm(request.POST if request.method == "POST" else None, initial=_next())
        if not form.is_valid():
            return self._page(request, form, title, back, status=422 if form.is_bound else 200)
        channel, as_of, at = form.cleaned_data["channel"], form.cleaned_data["as_of"], timezone.now()
        try:
            if "start" in request.POST:
                cycle = running.start(channel, as_of=as_of, by=operator(request.user), at=at)  # type: ignore[arg-type]
                bell.ring("statements")
                words = _("Se está cerrando el ciclo del %(day)s de %(channel)s.")
                messages.success(request, words % {"day": moment(cycle.closes_at), "channel": channel})
                return HttpResponseRedirect(back)
            told = running.rehearse(channel, as_of=as_of, at=at)
        except MoveRefused as refused:
            form.add_error("as_of", refused.refusal.text)
            return self._page(request, form, title, back, status=409)
        ready = told.closings[-1] <= at
        return self._page(request, form, title, back, panels=panels(told), intro=intro(told), ready=ready)

    def _page(
        self, request: HttpRequest, form: RunForm, title: str, back: str, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        return self.page(request, "rooms/run.html", title, status=status, form=form, back=back, **context)


def _next() -> dict[str, Any]:
    """The first channel, up to its next closing."""
    channel = Channel.objects.select_related("policy").order_by("name").first()
    if channel is None:
        return {}
    now = timezone.now()
    later = [one for one in queries.closings(channel, now) if one > now]
    due = queries.due_closing(channel, now)
    return {"channel": channel, "as_of": None if due or not later else timezone.localtime(min(later))}


def intro(told: Run) -> str:
    """What was rehearsed, in a sentence."""
    closings = ", ".join(map(moment, told.closings))
    orders = ngettext("%(n)s pedido", "%(n)s pedidos", told.tally.done) % {"n": told.tally.done}
    words = _("Ensayo del cierre de %(closings)s: %(orders)s. No se ha guardado nada.")
    return words % {"closings": closings, "orders": orders}


def panels(told: Run) -> list[Panel]:
    """What each shop would be paid and why, all together, and what is left out."""
    headers = (
        _("Se transfiere"), _("Diferencia"), _("Saldo anterior"), _("Pedidos"), _("Comisión e IVA"),
        _("Reembolsos"), _("Comisión devuelta"), _("Cubierto por el operador"), _("Ajustes"),
        _("Transferencias devueltas"), _("Saldo que pasa"),
    )  # fmt: skip
    kept = _columns(told.due)
    heads = tuple(headers[column] for column in kept)
    rows = [_row(due, kept) for due in told.due[:SHOWN]]
    title = _("Lo que se pagaría a cada tienda")
    if len(told.due) > SHOWN:
        title = _("Las primeras %(shown)s tiendas de %(all)s") % {"shown": SHOWN, "all": len(told.due)}
    out = [
        (one.shop, HoldKind(one.by).label, one.orders, money(one.cents, one.currency))
        for one in told.left_out[:SHOWN]
    ]
    held = (_("Tienda"), _("Qué lo retiene"), _("Pedidos"), _("Cobrado al cliente"))
    numbers = range(1, len(kept) + 1)
    return [
        Panel(_("En total"), (_("Moneda"), *heads), _totals(told.due, kept), numbers=numbers),
        Panel(title, (_("Tienda"), *heads, _("Por qué pasa")), rows, numbers=numbers),
        Panel(_("Lo que queda fuera"), held, out, numbers=(2, 3)),
    ]


def _cents(due: Due) -> tuple[int, ...]:
    """What is paid and how it differs from last time, then what it is made of."""
    return (
        due.payout_cents, due.difference_cents, due.opening_cents, due.orders_cents,
        -due.commission_cents - due.commission_vat_cents, due.refunds_cents,
        due.commission_back_cents + due.commission_vat_back_cents, due.cover_cents, due.adjustments_cents,
        due.returned_cents, due.carried_cents,
    )  # fmt: skip


def _columns(rows: list[Due]) -> list[int]:
    """The columns to show: the outcome always, and of what it is made of only what is not 0 for every shop."""
    counted = zip(*map(_cents, rows), strict=True)
    return [number for number, column in enumerate(counted) if number < ALWAYS or any(column)]


def _row(due: Due, kept: list[int]) -> tuple[object, ...]:
    cents = _cents(due)
    cells = (money(cents[column], due.currency) for column in kept)
    return (due.shop, *cells, CarriedWhy(due.carried_why).label)


def _totals(rows: list[Due], kept: list[int]) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    for currency in sorted({due.currency for due in rows}):
        columns = zip(*(_cents(due) for due in rows if due.currency == currency), strict=True)
        sums = [sum(column) for column in columns]
        told.append((currency, *(money(sums[column], currency) for column in kept)))
    return told

"""The operators' room of refunds: those that a shop asks them to cover, and all that were made (REF-04, ROL-02)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import QuerySet
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
    Panel,
    ReadingRoom,
    RoomForm,
    ShopFilter,
    act,
    column,
    found,
    link,
    money,
    register,
    tell,
)
from orders.admin_acts import FOLLOWERS
from refunds import refunding
from refunds.models import Refund, RefundLine
from refunds.states import RefundState
from sellers.desk import operator, who

COLOURS = {
    RefundState.ASKED: "warning",
    RefundState.DUE: "info",
    RefundState.PAID: "success",
    RefundState.FAILED: "danger",
    RefundState.DECLINED: "default",
    RefundState.WITHDRAWN: "default",
}


def to_cover() -> QuerySet[Refund]:
    """Refunds that wait for the operator to pay what a shop's balance lacks (REF-04)."""
    return Refund.objects.filter(state=RefundState.ASKED)


waits.add(
    waits.Wait(
        3,
        "covers",
        gettext_lazy("Reembolsos por cubrir"),
        gettext_lazy("A una tienda no le alcanza el saldo para un reembolso. Cúbrelo, o di por qué no."),
        "refunds_refund_changelist",
        "?state__exact=asked",
        to_cover,
    )
)


class CoverForm(RoomForm):
    """The click: the figures are above it."""


class DeclineForm(RoomForm):
    """Why not: the shop reads it."""

    answer = forms.CharField(label=gettext_lazy("Por qué no"), max_length=refunding.LONGEST_AGREEMENT)


@register(Refund)
class RefundAdmin(ReadingRoom):
    """What went back to customers, what it cost the shop, and what the operator paid of it."""

    list_display = (
        "number_word", "order_word", "shop_word", "amount", "covered", "why_word", "state_word", "made_at",
    )  # fmt: skip
    list_filter = (("state", ChoicesDropdownFilter), "total", ("shop", ShopFilter))
    list_select_related = ("shop", "order")
    search_fields = ("order__reference",)
    search_help_text = gettext_lazy("El número de pedido.")
    sortable_by = ()
    actions_detail = ("cover", "decline")
    fields = (
        ("number_word", "order_word", "shop_word"), ("amount", "taxes", "state"),
        ("commission_back", "cost", "covered"), ("made_at", "made_word"), ("why_word", "agreed"),
        ("decided_at", "decided_word"), ("answered_at", "answer"),
    )  # fmt: skip
    readonly_fields = (
        "number_word", "order_word", "shop_word", "amount", "taxes", "commission_back", "cost", "covered",
        "why_word", "made_word", "decided_word",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        rows: QuerySet[Refund] = super().get_queryset(request).select_related("shop", "order")
        return rows

    def name_of(self, row: Refund) -> str:
        return f"{row.order}/{row.number}"

    def panels(self, request: HttpRequest, obj: Refund) -> list[Panel]:
        return [_lines(obj)]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """It is decided once."""
        row = self.get_object(request, str(object_id))
        return (
            super().get_actions_detail(request, object_id) if row and row.state == RefundState.ASKED else []
        )

    @act(gettext_lazy("Cubrir y devolver"), icon="check")
    def cover(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Pay what the shop's balance lacks, worked out again, and make the refund."""
        row = found(self.get_queryset(request), object_id)
        form = CoverForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by = operator(request.user)  # type: ignore[arg-type]
            return self._done(request, row, lambda: refunding.cover(row.pk, by=by, at=timezone.now()))
        return self.ask(request, form, _("Cubrir el reembolso %(what)s") % {"what": self.name_of(row)},
                        back=self._back(row), label=_("Cubrir y devolver"),
                        panels=[_figures(row), _lines(row)])  # fmt: skip

    @act(gettext_lazy("No cubrir"), icon="block")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that it is not covered, and why."""
        row = found(self.get_queryset(request), object_id)
        form = DeclineForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by, answer = operator(request.user), form.cleaned_data["answer"]  # type: ignore[arg-type]
            decline: Callable[[], Refund] = lambda: refunding.decline(  # noqa: E731
                row.pk, answer=answer, by=by, at=timezone.now()
            )
            return self._done(request, row, decline)
        return self.ask(request, form, _("No cubrir el reembolso %(what)s") % {"what": self.name_of(row)},
                        back=self._back(row), label=_("No cubrir"), panels=[_figures(row)])  # fmt: skip

    def _back(self, row: Refund) -> str:
        return self.address("change", row.pk)

    def _done(self, request: HttpRequest, row: Refund, decide: Callable[[], Refund]) -> HttpResponse:
        try:
            outcome = Outcome([decide()])
        except MoveRefused as refused:
            outcome = Outcome([], [refused.refusal])
        waits.forget()
        bell.ring(*FOLLOWERS)
        tell(request, outcome, _("Decidido: %(n)s. La tienda lo sabe."), lambda _id: str(row.order))
        return HttpResponseRedirect(self._back(row))

    @column(gettext_lazy("Reembolso"))
    def number_word(self, row: Refund) -> str:
        return self.name_of(row)

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: Refund) -> str:
        return link(row.order)

    @column(gettext_lazy("Importe"))
    def amount(self, row: Refund) -> str:
        return money(row.amount_cents, row.currency)

    @column(gettext_lazy("IVA incluido"))
    def taxes(self, row: Refund) -> str:
        return money(row.goods_tax_cents + row.shipping_tax_cents, row.currency)

    @column(gettext_lazy("Comisión que vuelve, con su IVA"))
    def commission_back(self, row: Refund) -> str:
        return money(row.commission_cents + row.commission_vat_cents, row.currency)

    @column(gettext_lazy("Le cuesta a la tienda"))
    def cost(self, row: Refund) -> str:
        return money(row.cost_cents, row.currency)

    @column(gettext_lazy("Cubre el operador"))
    def covered(self, row: Refund) -> str:
        return money(row.covered_cents, row.currency) if row.covered_cents else "–"

    @column(gettext_lazy("Motivo"))
    def why_word(self, row: Refund) -> str:
        return said(ReasonKind.REFUND, Why(row.reason_code, row.reason_note))

    @column(gettext_lazy("Lo hace"))
    def made_word(self, row: Refund) -> str:
        return who(row.made_by)

    @column(gettext_lazy("Lo decide"))
    def decided_word(self, row: Refund) -> str:
        return who(row.decided_by) or "–"

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: Refund) -> tuple[str, str]:
        return row.state, row.get_state_display()


def _figures(row: Refund) -> Panel:
    """What the shop asked to be covered, in figures of then; by the click they are worked out again."""
    headers = (_("Recibe el cliente"), _("Le cuesta a la tienda"), _("Cubre el operador"), _("Motivo"))
    why = said(ReasonKind.REFUND, Why(row.reason_code, row.reason_note))
    cents = (row.amount_cents, row.cost_cents, row.covered_cents)
    return Panel(
        _("Las cifras, que se recalculan al cubrirlo"),
        headers,
        [(*(money(one, row.currency) for one in cents), why)],
        numbers=(0, 1, 2),
    )


def _lines(row: Refund) -> Panel:
    headers = (_("Línea"), _("Unidades"), _("Artículo"), _("Envío"))
    lines = RefundLine.objects.filter(refund=row).select_related("line").order_by("id")
    return Panel(
        _("Qué se devuelve"),
        headers,
        [
            (
                one.line.title,
                one.units,
                money(one.goods_cents, row.currency),
                money(one.shipping_cents, row.currency),
            )
            for one in lines
        ],
        numbers=(1, 2, 3),
    )

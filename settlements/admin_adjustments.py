"""The operators' room of adjustments: one asks, another agrees (SET-01)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import waits
from marketplace.models import Channel
from marketplace.money import NotMoney, parse
from marketplace.refusals import MoveRefused
from marketplace.rooms import (
    ChannelFilter,
    ReadingRoom,
    RoomForm,
    ShopFilter,
    act,
    column,
    link,
    money,
    register,
    tell,
)
from sellers.desk import operator
from sellers.models import Shop
from settlements import adjusting
from settlements.models import Adjustment
from settlements.states import AdjustmentState

COLOURS = {
    AdjustmentState.ASKED: "warning",
    AdjustmentState.POSTED: "success",
    AdjustmentState.DECLINED: "danger",
}
AT_MOST = 200


def asked() -> QuerySet[Adjustment]:
    """Adjustments that wait for a second person."""
    return Adjustment.objects.filter(state=AdjustmentState.ASKED)


waits.add(
    waits.Wait(
        4,
        "adjustments",
        gettext_lazy("Ajustes por aprobar"),
        gettext_lazy(
            "Otro operador quiere abonar o cargar un importe a una tienda. Apruébalo, o di por qué no."
        ),
        "settlements_adjustment_changelist",
        "?state__exact=asked",
        asked,
    )
)


class AdjustmentForm(RoomForm):
    """To whom, how much, and why."""

    shop = forms.ModelChoiceField(
        Shop.objects.order_by("name"), label=gettext_lazy("Tienda"), to_field_name="code"
    )
    channel = forms.ModelChoiceField(
        Channel.objects.select_related("policy").order_by("name"),
        label=gettext_lazy("Canal"),
    )
    amount = forms.CharField(
        label=gettext_lazy("Importe"),
        max_length=20,
        help_text=gettext_lazy("En la moneda del canal: 12,50 abona a la tienda; -12,50 le carga."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Motivo"),
        max_length=200,
        help_text=gettext_lazy("La tienda lo lee en su liquidación."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "amount" in data and "channel" in data:
            try:
                data["cents"] = parse(data["amount"].strip(), data["channel"].currency, negative=True)
            except NotMoney as flaw:
                self.add_error("amount", str(flaw))
            else:
                if not data["cents"]:
                    self.add_error("amount", _("El importe no puede ser cero."))
        return data


def _only_channel() -> dict[str, Any]:
    """Where there is one channel it is not asked; of several none is chosen by its name."""
    channels = list(Channel.objects.select_related("policy")[:2])
    return {"channel": channels[0]} if len(channels) == 1 else {}


class DeclineForm(RoomForm):
    """Why not."""

    answer = forms.CharField(label=gettext_lazy("Por qué no"), max_length=200)


@register(Adjustment)
class AdjustmentAdmin(ReadingRoom):
    """What is credited or charged to shops by hand."""

    list_display = (
        "shop_word",
        "amount",
        "state_word",
        "reason",
        "asked_by",
        "asked_at",
        "decided_by",
        "decided_at",
    )
    list_filter = (("state", ChoicesDropdownFilter), ("channel", ChannelFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "channel", "asked_by", "decided_by")
    ordering = ("-id",)
    sortable_by = ()
    actions = ("approve", "decline")
    actions_list = ("ask_for",)
    fields = (
        ("shop_word", "channel_word", "amount", "state"),
        "reason",
        ("asked_by", "asked_at", "decided_by", "decided_at"),
        ("answer", "entry_word"),
    )
    readonly_fields = ("shop_word", "channel_word", "amount", "entry_word")

    def name_of(self, row: Adjustment) -> str:
        return adjusting.words(row)

    @act(gettext_lazy("Pedir un ajuste"), icon="exposure")
    def ask_for(self, request: HttpRequest) -> HttpResponse:
        """Credit or charge a shop; above the channel's amount it waits for somebody else."""
        form, back = (
            AdjustmentForm(request.POST if "apply" in request.POST else None, initial=_only_channel()),
            self.address("changelist"),
        )
        title = _("Pedir un ajuste")
        if not form.is_valid():
            return self.ask(request, form, title, back=back, status=422 if form.is_bound else 200)
        said = form.cleaned_data
        try:
            made = adjusting.ask(
                said["shop"],
                said["channel"],
                said["cents"],
                reason=said["reason"],
                by=operator(request.user),  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except MoveRefused as refused:
            form.add_error(None, refused.refusal.text)
            return self.ask(request, form, title, back=back, status=409)
        posted = made.state == AdjustmentState.POSTED
        told = (
            _("Hecho: va en su próxima liquidación.")
            if posted
            else _("Pedido: lo tiene que aprobar otra persona.")
        )
        messages.success(request, f"{adjusting.words(made)}. {told}")
        return HttpResponseRedirect(back)

    def _tell(self, request: HttpRequest, told: Any, words: str, rows: QuerySet[Adjustment]) -> None:
        names = {row.pk: adjusting.words(row) for row in rows.select_related("shop")[:AT_MOST]}
        tell(request, told, words, lambda pk: names.get(pk, "–"))

    @act(gettext_lazy("Aprobar"))
    def approve(self, request: HttpRequest, rows: QuerySet[Adjustment]) -> None:
        ids = list(rows.order_by("id").values_list("id", flat=True)[:AT_MOST])
        told = adjusting.approve(ids, by=operator(request.user), at=timezone.now())  # type: ignore[arg-type]
        self._tell(request, told, _("Ajustes aprobados: %(n)s."), Adjustment.objects.filter(pk__in=ids))

    @act(gettext_lazy("Rechazar"))
    def decline(self, request: HttpRequest, rows: QuerySet[Adjustment]) -> HttpResponse | None:
        ids = list(rows.order_by("id").values_list("id", flat=True)[:AT_MOST])
        form = DeclineForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            carried = [
                ("action", "decline"),
                ("select_across", "0"),
                *(("_selected_action", str(pk)) for pk in ids),
            ]
            return self.ask(request, form, _("Rechazar"), back=request.get_full_path(), carried=carried)
        who = operator(request.user)  # type: ignore[arg-type]
        told = adjusting.decline(ids, answer=form.cleaned_data["answer"], by=who, at=timezone.now())
        self._tell(request, told, _("Ajustes rechazados: %(n)s."), Adjustment.objects.filter(pk__in=ids))
        return None

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, row: Adjustment) -> str:
        return money(row.amount_cents, row.currency)

    @column(gettext_lazy("Asiento"))
    def entry_word(self, row: Adjustment) -> str:
        return link(row.entry) if row.entry else "–"

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: Adjustment) -> tuple[str, str]:
        return row.state, str(AdjustmentState(row.state).label)

"""The operators' room of carriers that shops ask for: granted from the list or as a new one, or declined (SHP-04)."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.admin_forms import CarrierForm
from marketplace.models import Carrier
from marketplace.rooms import ReadingRoom, RoomForm, ShopFilter, act, column, found, register, tell
from orders import services
from orders.models import CarrierRequest, Granting
from orders.services import NewCarrier
from sellers.desk import operator

COLOURS = {Granting.OPEN: "warning", Granting.GRANTED: "success", Granting.DECLINED: "default"}


def unanswered() -> QuerySet[CarrierRequest]:
    """Carriers that shops have asked for and that nobody has answered about (SHP-04)."""
    return CarrierRequest.objects.filter(state=Granting.OPEN)


waits.add(
    waits.Wait(
        7,
        "carriers",
        gettext_lazy("Transportistas pedidos"),
        gettext_lazy("Una tienda quiere enviar con quien no está en la lista. Concédelo o di por qué no."),
        "orders_carrierrequest_changelist",
        "?state__exact=open",
        unanswered,
    )
)


class GrantForm(RoomForm):
    """The carrier that is given: one of the list, or a new one with its code and how its numbers are followed."""

    carrier = forms.ModelChoiceField(
        Carrier.objects.all(),
        label=gettext_lazy("Uno de la lista"),
        required=False,
        empty_label=gettext_lazy("Ninguno: se añade uno nuevo"),
    )
    code = forms.SlugField(label=gettext_lazy("Código"), max_length=50, required=False)
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=80, required=False)
    tracking_url = forms.CharField(
        label=gettext_lazy("Enlace de seguimiento"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Con {tracking} donde va el número."),
    )
    tracking_pattern = forms.CharField(label=gettext_lazy("Forma del número"), max_length=200, required=False)
    note = forms.CharField(label=gettext_lazy("Nota para la tienda"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("carrier") is None:
            fields = ("code", "name", "tracking_url", "tracking_pattern")
            new = CarrierForm({**{name: data.get(name, "") for name in fields}, "active": True})
            if Carrier.objects.filter(name__iexact=data.get("name") or "", active=True).exists():
                self.add_error("name", _("Ya hay uno con ese nombre en la lista: elígelo arriba."))
            for name, flaws in new.errors.items():
                self.add_error(name if name in self.fields else None, list(flaws))
        return data

    @property
    def given(self) -> Carrier | NewCarrier:
        data = self.cleaned_data
        if data["carrier"] is not None:
            return data["carrier"]  # type: ignore[no-any-return]
        return NewCarrier(data["code"], data["name"], data["tracking_url"], data["tracking_pattern"])


class DeclineForm(RoomForm):
    """Why not: the shop reads it."""

    note = forms.CharField(label=gettext_lazy("Por qué no"), max_length=300)


@register(CarrierRequest)
class CarrierRequestAdmin(ReadingRoom):
    """What shops ask for, the oldest unanswered first where one looks for them."""

    list_display = ("name", "website", "shop_word", "state_word", "asked_at", "asked_by", "answered_at")
    list_filter = (("state", ChoicesDropdownFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "carrier")
    search_fields = ("name", "website")
    sortable_by = ()
    actions_detail = ("grant", "decline")
    fields = (
        "name", "website", "shop_word", "order_reference", "state", "asked_at", "asked_by", "carrier", "note",
        "answered_at", "answered_by",
    )  # fmt: skip
    readonly_fields = ("shop_word",)

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: CarrierRequest) -> tuple[str, str]:
        return row.state, row.get_state_display()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """An answer is given once."""
        row = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and row.state == Granting.OPEN else []

    @act(gettext_lazy("Conceder"), icon="check")
    def grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the shop the carrier that it asked for."""
        row = found(CarrierRequest, object_id)
        proposed = {"name": row.name, "code": slugify(row.name)[:50]}
        form = GrantForm(request.POST) if request.method == "POST" else GrantForm(initial=proposed)
        if form.is_valid():
            outcome = services.grant_carrier(
                [row.id],
                form.given,
                note=form.cleaned_data["note"],
                by=operator(request.user),  # type: ignore[arg-type]
                at=timezone.now(),
            )
            return self._told(request, row, outcome)
        return self.ask(request, form, _("Conceder «%(name)s»") % {"name": row.name}, back=self._back(row))

    @act(gettext_lazy("Denegar"), icon="block")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no, and why."""
        row = found(CarrierRequest, object_id)
        form = DeclineForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            outcome = services.decline_carrier(
                [row.id],
                note=form.cleaned_data["note"],
                by=operator(request.user),  # type: ignore[arg-type]
                at=timezone.now(),
            )
            return self._told(request, row, outcome)
        return self.ask(request, form, _("Denegar «%(name)s»") % {"name": row.name}, back=self._back(row))

    def _back(self, row: CarrierRequest) -> str:
        return self.address("change", row.pk)

    def _told(self, request: HttpRequest, row: CarrierRequest, outcome: Any) -> HttpResponse:
        waits.forget()
        bell.ring("notices")
        tell(request, outcome, _("Respondido: la tienda recibe un aviso."), lambda _id: row.name)
        return HttpResponseRedirect(self._back(row))

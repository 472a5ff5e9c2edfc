"""The operators' room of money on its way back to customers: asked for anew, or transferred by hand (CAN-05)."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.rooms import RoomForm, ShopFilter, act, found, money, register, tell
from payments import services
from payments.admin_asks import AskRoom
from payments.models import Payback
from payments.services.paying_back import BY_TRANSFER
from payments.states import AskState
from sellers.desk import operator


def refused_paybacks() -> QuerySet[Payback]:
    """Money that the provider would not return, and that nobody has asked for again (CAN-05)."""
    return Payback.objects.filter(state=AskState.REFUSED, asked_anew=False, undone=False)


waits.add(
    waits.Wait(
        2,
        "refused",
        gettext_lazy("Devoluciones rechazadas"),
        gettext_lazy("El dinero no ha vuelto al cliente. Pide la devolución de nuevo."),
        "payments_payback_changelist",
        "?state__exact=refused&asked_anew__exact=0&undone__exact=0",
        refused_paybacks,
    )
)


def to_transfer() -> QuerySet[Payback]:
    """Money to return that no provider charged: an operator transfers it (PAY-06)."""
    return Payback.objects.filter(state=AskState.WAITING, provider=BY_TRANSFER)


waits.add(
    waits.Wait(
        3,
        "transfers",
        gettext_lazy("Devoluciones por transferir"),
        gettext_lazy("Lo cobró un mensajero: transfiérelo al cliente y apunta la referencia."),
        "payments_payback_changelist",
        "?state__exact=waiting&provider__exact=transfer",
        to_transfer,
    )
)


class TransferForm(RoomForm):
    """How the transfer is found again."""

    reference = forms.CharField(label=gettext_lazy("Referencia de la transferencia"), max_length=120)


@register(Payback)
class PaybackAdmin(AskRoom):
    """Money on its way back to customers (CAN-05)."""

    list_display = (
        "order_word",
        "shop_word",
        "amount",
        "state_word",
        "asked_at",
        "answered_at",
        "due_at",
        "tries",
        "error_word",
    )
    list_filter = (("state", ChoicesDropdownFilter), ("shop", ShopFilter))
    actions = ("pay_back_again",)
    actions_detail = ("transferred",)

    @act(gettext_lazy("Pedir de nuevo la devolución"))
    def pay_back_again(self, request: HttpRequest, rows: QuerySet[Payback]) -> None:
        """Ask the provider anew for money that it refused to return (CAN-05)."""
        outcome = services.pay_back_again(list(rows.values_list("id", flat=True)), at=timezone.now())
        if outcome.moved:
            bell.ring("payback")
        names = dict(rows.values_list("id", "order__reference"))
        tell(request, outcome, _("Se pide de nuevo. Devoluciones: %(n)s."), lambda pk: names.get(pk, str(pk)))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what nobody but an operator can pay back, and once."""
        row = self.get_object(request, str(object_id))
        due = row is not None and row.provider == BY_TRANSFER and row.state == AskState.WAITING
        return super().get_actions_detail(request, object_id) if due else []

    @act(gettext_lazy("Ya lo he transferido"), icon="check")
    def transferred(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write down the transfer with its reference: the customer is told, and the books have it."""
        row = found(self.get_queryset(request), object_id)
        form = TransferForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            outcome = services.transferred(
                [row.pk],
                reference=form.cleaned_data["reference"],
                by=operator(request.user),  # type: ignore[arg-type]
                at=timezone.now(),
            )
            waits.forget()
            bell.ring("notices")
            tell(request, outcome, _("Apuntado: %(n)s. El cliente lo sabe."), lambda _id: str(row.order))
            return HttpResponseRedirect(self.address("change", row.pk))
        title = _("Transferir %(amount)s a %(customer)s") % {
            "amount": money(row.amount_cents, row.currency),
            "customer": row.order.customer_name,
        }
        return self.ask(
            request, form, title, back=self.address("change", row.pk), label=_("Ya lo he transferido")
        )

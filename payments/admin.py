"""The operators' rooms of payments: charges and paybacks, and the debits that take too long (PAY-03)."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.reasons import answer_words
from marketplace.rooms import (
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    act,
    column,
    link,
    moment,
    money,
    register,
    tell,
)
from orders.admin_forms import FORMS
from orders.admin_panels import ORDER_PANELS
from orders.models import Order
from payments import (
    admin_cash,  # noqa: F401
    admin_lines,
    admin_paybacks,  # noqa: F401
    services,
)
from payments.admin_asks import AskRoom, answer_word
from payments.admin_forms import ConfirmPaymentForm, PaymentsForm
from payments.matching import Paying
from payments.models import Charge, Inquiry, Payback, Release, WebhookReceipt, WebhookRefusal
from payments.states import AskState, Heard, Learned, TurnedAway
from sellers.desk import operator


def asks_panel(order: Order) -> Panel:
    """What was asked of the provider for an order: charges, and money that goes back."""
    headers = (
        _("Clase"),
        _("Importe"),
        _("Estado"),
        _("Preguntado"),
        _("Respondido"),
        _("Intentos"),
        _("Respuesta"),
    )
    asks: list[Charge | Payback] = [*order.charges.order_by("id"), *order.paybacks.order_by("id")]
    rows = [
        (link(one, str(one._meta.verbose_name).capitalize()), money(one.amount_cents, one.currency),
         one.get_state_display(), moment(one.asked_at), moment(one.answered_at), one.tries, answer_word(one))
        for one in asks
    ]  # fmt: skip
    return Panel(_("Cobros y devoluciones"), headers, rows, numbers=(1,))


ORDER_PANELS.append(asks_panel)
FORMS[ConfirmPaymentForm.verb] = ConfirmPaymentForm


def stuck() -> QuerySet[Charge]:
    """Charges without an answer for longer than the policy's patience (PAY-03)."""
    return Charge.objects.filter(alerted_at__isnull=False, state__in=[AskState.WAITING, AskState.ASKED])


waits.add(
    waits.Wait(
        1,
        "stuck",
        gettext_lazy("Cobros atascados"),
        gettext_lazy("El proveedor no contesta. Pregúntale ahora o mira el pedido."),
        "payments_charge_changelist",
        "?stuck=yes",
        stuck,
    )
)


class StuckFilter(SimpleListFilter):
    """Charges that wait too long, or all."""

    title = gettext_lazy("respuesta")
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Tardan demasiado"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Charge]) -> QuerySet[Charge]:
        return queryset & stuck() if self.value() == "yes" else queryset


@register(Charge)
class ChargeAdmin(AskRoom):
    """Charges; those that take too long can be asked about at once."""

    list_display = (
        "order_word",
        "shop_word",
        "amount",
        "state_word",
        "since",
        "asked_at",
        "due_at",
        "tries",
        "error_word",
    )
    list_filter = (StuckFilter, ("state", ChoicesDropdownFilter), ("shop", ShopFilter))
    actions = ("hurry",)
    actions_list = ("by_file",)

    @column(gettext_lazy("Desde"))
    def since(self, charge: Charge) -> str:
        return moment(charge.order.accepted_at or charge.created_at)

    @act(gettext_lazy("Confirmar pagos con un fichero"), icon="upload_file")
    def by_file(self, request: HttpRequest) -> HttpResponse:
        """Take a list of payments, show what each will do, then confirm them and tell what came of each (ORD-07)."""
        title, by = _("Confirmar pagos con un fichero"), operator(request.user)  # type: ignore[arg-type]
        back, at = self.address("changelist"), timezone.now()
        if "seal" in request.POST:
            wakes = ("payback", "notices")
            return admin_lines.do(
                self,
                request,
                lambda channel, about: Paying(channel, by, at),
                title=title,
                back=back,
                wakes=wakes,
            )
        form = PaymentsForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
        if not form.is_valid():
            status = 422 if form.is_bound else 200
            return self.ask(request, form, title, back=back, status=status, label=_("Ver qué pasará"))
        channel = form.cleaned_data["channel"]
        paying = Paying(channel, by, at)
        return admin_lines.show(self, request, paying, form.told, channel=channel, title=title, back=back)

    @act(gettext_lazy("Preguntar ahora"))
    def hurry(self, request: HttpRequest, rows: QuerySet[Charge]) -> None:
        """Have the clock ask the provider now what became of these charges (PAY-03)."""
        outcome = services.hurry(list(rows.values_list("id", flat=True)), at=timezone.now())
        if outcome.moved:
            bell.ring("charge")
        names = dict(rows.values_list("id", "order__reference"))
        tell(request, outcome, _("Se pregunta ahora. Cobros: %(n)s."), lambda pk: names.get(pk, str(pk)))


@register(Release)
class ReleaseAdmin(AskRoom):
    """Authorisations let go of, because their order ended without being charged (ORD-02)."""

    list_display = (
        "order_word",
        "shop_word",
        "amount",
        "state_word",
        "asked_at",
        "answered_at",
        "error_word",
    )
    list_filter = (("state", ChoicesDropdownFilter), ("shop", ShopFilter))


@register(Inquiry)
class InquiryAdmin(ReadingRoom):
    """Payments made beforehand that the provider is asked about until it says (ORD-07)."""

    list_display = (
        "reference",
        "basket_word",
        "channel_word",
        "learned_word",
        "amount",
        "due_at",
        "ask_until",
        "tries",
    )
    list_filter = (("learned", ChoicesDropdownFilter), ("channel", ChannelFilter))
    list_select_related = ("channel", "basket")
    search_fields = ("=reference",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    fields = (
        ("reference", "basket_word", "channel_word"),
        ("learned_word", "amount", "learned_at"),
        ("due_at", "ask_until", "tries"),
        ("answer", "created_at"),
    )
    readonly_fields = ("basket_word", "channel_word", "learned_word", "amount", "answer")

    @column(gettext_lazy("Número comercial"))
    def basket_word(self, inquiry: Inquiry) -> str:
        return str(inquiry.basket)

    @column(
        gettext_lazy("Qué se supo"),
        label={
            Learned.PAID: "success",
            Learned.DIFFERS: "danger",
            Learned.ELSEWHERE: "danger",
            Learned.UNPLACED: "danger",
            Learned.RETURNED: "warning",
            Learned.FAILED: "warning",
        },
    )
    def learned_word(self, inquiry: Inquiry) -> tuple[str, str]:
        return inquiry.learned, str(Learned(inquiry.learned).label)

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, inquiry: Inquiry) -> str:
        return money(inquiry.amount_cents, inquiry.basket.currency)

    @column(gettext_lazy("Respuesta"))
    def answer(self, inquiry: Inquiry) -> str:
        return answer_words(inquiry.message or inquiry.last_error) or "–"


@register(WebhookReceipt)
class WebhookReceiptAdmin(ReadingRoom):
    """What providers told us of their own accord, each event once; it hurries, and is believed in nothing."""

    list_display = (
        "event_id",
        "channel_word",
        "kind",
        "subject",
        "heard_word",
        "received_at",
        "times",
        "last_at",
    )
    list_filter = (("heard", ChoicesDropdownFilter), ("channel", ChannelFilter))
    list_select_related = ("channel",)
    search_fields = ("=event_id", "=subject")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator

    @column(
        gettext_lazy("Resultado"),
        label={Heard.HURRIED: "success", Heard.KNOWN: "default", Heard.NOBODY: "warning"},
    )
    def heard_word(self, receipt: WebhookReceipt) -> tuple[str, str]:
        return receipt.heard, str(Heard(receipt.heard).label)


@register(WebhookRefusal)
class WebhookRefusalAdmin(ReadingRoom):
    """Webhooks that were turned away, counted by day, channel and reason; nothing of them is kept."""

    list_display = ("day", "reason_word", "where", "times", "last_at")
    list_filter = (("reason", ChoicesDropdownFilter), ("channel", ChannelFilter))
    list_select_related = ("channel",)
    ordering = ("-day", "reason", "id")
    sortable_by = ()

    def name_of(self, row: WebhookRefusal) -> str:
        return f"{row.day:%d/%m/%Y} · {row.get_reason_display()}"

    @column(gettext_lazy("Motivo"))
    def reason_word(self, refusal: WebhookRefusal) -> str:
        return str(TurnedAway(refusal.reason).label)

    @column(gettext_lazy("Canal"))
    def where(self, refusal: WebhookRefusal) -> str:
        return str(refusal.channel or "–")

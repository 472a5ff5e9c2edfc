"""The operators' rooms of settlement: statements with their lines, what the bank said (SET-03, SET-05)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from ledger.models import Balance
from marketplace import waits
from marketplace.admin_front import FIGURES, Figure
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    ChannelFilter,
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
    money,
    register,
    tell,
)
from orders.models import Order
from settlements import (
    admin_adjustments,  # noqa: F401
    admin_files,  # noqa: F401
    admin_payees,  # noqa: F401
    admin_run,  # noqa: F401
    papers,
    services,
)
from settlements.admin_invoices import handed
from settlements.models import Payout, Statement
from settlements.states import PayoutState, StatementState

AT_MOST = 1000


def owed() -> QuerySet[Payout]:
    """Transfers that failed, of shops that have been sent nothing since (SET-05)."""
    since = Payout.objects.filter(shop=OuterRef("shop"), currency=OuterRef("currency"), id__gt=OuterRef("id"))
    return Payout.objects.filter(~Exists(since.exclude(state=PayoutState.FAILED)), state=PayoutState.FAILED)


waits.add(
    waits.Wait(
        4,
        "payouts",
        gettext_lazy("Transferencias fallidas"),
        gettext_lazy("El banco las devolvió. Habla con la tienda: el dinero va en su próxima liquidación."),
        "settlements_payout_changelist",
        "?owed=yes",
        owed,
    )
)


def money_figures(now: datetime) -> Iterator[Figure]:
    """What shops are owed, and what travels to their banks."""
    for row in Balance.objects.values("currency").annotate(cents=Sum("payable_cents")).order_by("currency"):
        address = reverse("admin:ledger_balance_changelist")
        yield Figure(_("A pagar a las tiendas"), money(row["cents"], row["currency"]), "", address)
    travelling = Payout.objects.filter(state=PayoutState.IN_TRANSIT).values("currency")
    for row in travelling.annotate(cents=Sum("amount_cents"), n=Count("*")).order_by("currency"):
        words = ngettext("%(n)s transferencia", "%(n)s transferencias", row["n"]) % {"n": row["n"]}
        address = reverse("admin:settlements_payout_changelist") + "?state__exact=in_transit"
        yield Figure(_("De camino al banco"), money(row["cents"], row["currency"]), words, address)


FIGURES.append((2, money_figures))


class OwedFilter(SimpleListFilter):
    """Transfers that failed and that no later one has made up for."""

    title = gettext_lazy("fallidas")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Sin otra después"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payout]) -> QuerySet[Payout]:
        return queryset.filter(pk__in=owed().values("pk")) if self.value() == "yes" else queryset


class AnswerForm(RoomForm):
    """What the bank said."""

    answer = forms.CharField(label=gettext_lazy("Qué dijo el banco"), max_length=200, required=False)


@register(Statement)
class StatementAdmin(ReadingRoom):
    """What each shop got of each cycle, line by line (SET-08)."""

    list_display = (
        "shop_word",
        "channel_word",
        "cycle_word",
        "state_word",
        "lines_count",
        "orders",
        "commission",
        "payout_words",
        "carried",
    )
    list_filter = (
        ("state", ChoicesDropdownFilter),
        "to_invoice",
        ("channel", ChannelFilter),
        ("shop", ShopFilter),
    )
    list_select_related = ("shop", "channel", "cycle")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    fields = (
        ("shop_word", "channel_word", "cycle_word"),
        ("state", "closed_at", "lines_count"),
        ("opening", "orders", "commission", "commission_vat"),
        ("refunds", "commission_back", "commission_vat_back"),
        ("cover", "adjustments", "returned"),
        ("payout_words", "carried", "carried_why"),
    )
    readonly_fields = (
        "shop_word",
        "channel_word",
        "cycle_word",
        "opening",
        "orders",
        "commission",
        "commission_vat",
        "refunds",
        "commission_back",
        "commission_vat_back",
        "cover",
        "adjustments",
        "returned",
        "payout_words",
        "carried",
    )

    actions_detail = ("pdf", "csv")

    def name_of(self, row: Statement) -> str:
        return f"{row.shop} · {row.cycle}"

    @act(gettext_lazy("PDF"), icon="picture_as_pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The statement as PDF; that it was taken is written down (DOC-04)."""
        row = found(papers.STATEMENTS.all(), object_id)
        back = self.address("change", object_id)
        return handed(request, lambda by, at: papers.statement_pdf(row, by=by, at=at), back)

    @act(gettext_lazy("CSV"), icon="table_view")
    def csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The statement as CSV; that it was taken is written down (DOC-04)."""
        row = found(papers.STATEMENTS.all(), object_id)
        back = self.address("change", object_id)
        return handed(request, lambda by, at: papers.statement_csv(row, by=by, at=at), back)

    def panels(self, request: HttpRequest, obj: Statement) -> Iterable[Panel]:
        headers = (_("Apartado"), _("Pedido"), _("Importe"), _("Comisión"), _("IVA de la comisión"))
        lines = list(obj.lines.order_by("id")[:SHOWN_IN_A_PANEL])
        orders = Order.objects.in_bulk([line.order_id for line in lines if line.order_id])
        rows = []
        for line in lines:
            amount = line.orders_cents + line.other_cents
            cents = (amount, line.commission_cents, line.commission_vat_cents)
            order = orders.get(line.order_id or 0)
            name = link(order) if order else "–"
            rows.append((line.get_section_display(), name, *(money(one, obj.currency) for one in cents)))
        title = _("Líneas")
        if obj.lines_count > len(lines):
            title = _("Las primeras %(shown)s líneas de %(all)s") % {
                "shown": len(lines),
                "all": obj.lines_count,
            }
        yield Panel(title, headers, rows, numbers=(2, 3, 4))
        payouts = Payout.objects.filter(statement=obj)
        yield Panel(
            _("Transferencia"),
            (_("Importe"), _("Estado"), _("Creada"), _("Respuesta del banco")),
            [(link(one, money(one.amount_cents, one.currency)), one.get_state_display(),
              moment(one.created_at), one.answer) for one in payouts],
        )  # fmt: skip

    @column(
        gettext_lazy("Estado"), label={StatementState.COLLECTING: "info", StatementState.CLOSED: "success"}
    )
    def state_word(self, statement: Statement) -> tuple[str, str]:
        return statement.state, str(StatementState(statement.state).label)

    @column(gettext_lazy("Ciclo"))
    def cycle_word(self, statement: Statement) -> str:
        return str(statement.cycle)

    @column(gettext_lazy("Saldo anterior"))
    def opening(self, statement: Statement) -> str:
        return money(statement.opening_cents, statement.currency)

    @column(gettext_lazy("Pedidos"), formatting="price")
    def orders(self, statement: Statement) -> str:
        return money(statement.orders_cents, statement.currency)

    @column(gettext_lazy("Comisión"), formatting="price")
    def commission(self, statement: Statement) -> str:
        return money(statement.commission_cents, statement.currency)

    @column(gettext_lazy("IVA de la comisión"))
    def commission_vat(self, statement: Statement) -> str:
        return money(statement.commission_vat_cents, statement.currency)

    @column(gettext_lazy("Reembolsos"))
    def refunds(self, statement: Statement) -> str:
        return money(statement.refunds_cents, statement.currency)

    @column(gettext_lazy("Comisión devuelta"))
    def commission_back(self, statement: Statement) -> str:
        return money(statement.commission_back_cents, statement.currency)

    @column(gettext_lazy("IVA devuelto de la comisión"))
    def commission_vat_back(self, statement: Statement) -> str:
        return money(statement.commission_vat_back_cents, statement.currency)

    @column(gettext_lazy("Cubierto por el operador"))
    def cover(self, statement: Statement) -> str:
        return money(statement.cover_cents, statement.currency)

    @column(gettext_lazy("Ajustes"))
    def adjustments(self, statement: Statement) -> str:
        return money(statement.adjustments_cents, statement.currency)

    @column(gettext_lazy("Transferencias devueltas"))
    def returned(self, statement: Statement) -> str:
        return money(statement.returned_cents, statement.currency)

    @column(gettext_lazy("Transferido"), formatting="price")
    def payout_words(self, statement: Statement) -> str:
        return money(statement.payout_cents, statement.currency)

    @column(gettext_lazy("Saldo que pasa"), formatting="price")
    def carried(self, statement: Statement) -> str:
        return money(statement.carried_cents, statement.currency)


@register(Payout)
class PayoutAdmin(ReadingRoom):
    """Transfers to shops, and what the bank says of them: paid, failed, or back after it was paid (SET-05)."""

    list_display = (
        "shop_word", "amount", "state_word", "statement_word", "created_at", "answered_at", "answer"
    )  # fmt: skip
    list_filter = (OwedFilter, ("state", ChoicesDropdownFilter), ("shop", ShopFilter))
    list_select_related = ("shop", "statement__cycle")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("paid", "failed")
    fields = (("shop_word", "statement_word", "amount"), ("state", "created_at"), ("answered_at", "answer"))
    readonly_fields = ("shop_word", "statement_word", "amount")

    def name_of(self, row: Payout) -> str:
        return f"{row.shop} · {self.amount(row)}"

    def _answer(self, request: HttpRequest, rows: QuerySet[Payout], name: str) -> HttpResponse | None:
        """Ask what the bank said, and write it down for the payouts chosen; an answered one is refused."""
        ids = list(rows.order_by("id").values_list("id", flat=True)[:AT_MOST])
        form = AnswerForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            told: Any = services.answer_payouts(
                ids, paid=name == "paid", answer=form.cleaned_data["answer"], at=timezone.now()
            )
            names = {one.pk: self.name_of(one) for one in rows.select_related("shop").filter(pk__in=ids)}
            tell(request, told, _("Respuesta anotada. Transferencias: %(n)s."), lambda pk: names.get(pk, "–"))
            return None
        carried = [("action", name), ("select_across", "0"), *(("_selected_action", str(pk)) for pk in ids)]
        intro = _("Transferencias elegidas: %(n)s.") % {"n": len(ids)}
        title = getattr(self, name).short_description
        return self.ask(request, form, title, back=request.get_full_path(), carried=carried, intro=intro)

    @act(gettext_lazy("Pagada según el banco"))
    def paid(self, request: HttpRequest, rows: QuerySet[Payout]) -> HttpResponse | None:
        return self._answer(request, rows, "paid")

    @act(gettext_lazy("Fallida según el banco"))
    def failed(self, request: HttpRequest, rows: QuerySet[Payout]) -> HttpResponse | None:
        return self._answer(request, rows, "failed")

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, payout: Payout) -> str:
        return money(payout.amount_cents, payout.currency)

    @column(gettext_lazy("Liquidación"))
    def statement_word(self, payout: Payout) -> str:
        return link(payout.statement, payout.statement.cycle)

    @column(
        gettext_lazy("Estado"),
        label={PayoutState.IN_TRANSIT: "info", PayoutState.PAID: "success", PayoutState.FAILED: "danger"},
    )
    def state_word(self, payout: Payout) -> tuple[str, str]:
        return payout.state, str(PayoutState(payout.state).label)

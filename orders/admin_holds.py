"""The operators' room of holds: what waits and why, lifted with a note (ORD-06, PAY-07)."""

from collections import defaultdict

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import waits
from marketplace.models import ReasonKind
from marketplace.reasons import Why, said
from marketplace.rooms import (
    EstimatingPaginator,
    ReadingRoom,
    ShopFilter,
    act,
    column,
    link,
    money,
    register,
)
from orders import services
from orders.admin_acts import AT_MOST, report
from orders.admin_filters import StandingFilter
from orders.admin_forms import NoteForm
from orders.models import Hold
from orders.states import HoldKind
from sellers.desk import operator, who


def mismatches() -> QuerySet[Hold]:
    """Orders held because what was paid is not what their basket costs (PAY-07)."""
    return Hold.objects.filter(kind=HoldKind.PAYMENT_MISMATCH, released_at=None)


waits.add(
    waits.Wait(
        3,
        "mismatch",
        gettext_lazy("Pagos que no cuadran"),
        gettext_lazy("Lo pagado no es el total. Aclara la diferencia y levanta la retención."),
        "orders_hold_changelist",
        "?kind__exact=payment_mismatch&standing=yes",
        mismatches,
    )
)


@register(Hold)
class HoldAdmin(ReadingRoom):
    """What is held and why; a payment that does not match its basket is here with both figures (PAY-07)."""

    list_display = (
        "order_word",
        "shop_word",
        "kind",
        "paid",
        "basket_total",
        "explained",
        "placed_at",
        "placed_word",
        "released_at",
    )
    list_filter = (("kind", ChoicesDropdownFilter), StandingFilter, ("shop", ShopFilter))
    list_select_related = ("shop", "order__basket")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("lift",)
    fields = (
        "order_word", "shop_word", "kind", "paid", "basket_total", "explained", "until", "placed_at", "placed_word",
        "released_at", "released_word",
    )  # fmt: skip
    list_display_links = ("kind",)

    def name_of(self, row: Hold) -> str:
        return f"{row.order} · {row}"

    readonly_fields = (
        "order_word", "shop_word", "paid", "basket_total", "explained", "placed_word", "released_word"
    )  # fmt: skip

    @column(gettext_lazy("Pedido"))
    def order_word(self, hold: Hold) -> str:
        return link(hold.order)

    @column(gettext_lazy("Pagado"), formatting="price")
    def paid(self, hold: Hold) -> str:
        mismatch = hold.kind == HoldKind.PAYMENT_MISMATCH
        return money(hold.order.basket.paid_cents, hold.order.currency) if mismatch else "–"

    @column(gettext_lazy("Total de la cesta"), formatting="price")
    def basket_total(self, hold: Hold) -> str:
        return money(hold.order.basket.total_cents, hold.order.currency)

    @column(gettext_lazy("Explicación"))
    def explained(self, hold: Hold) -> str:
        return said(ReasonKind.HOLD, Why(hold.reason_code, hold.note))

    @column(gettext_lazy("Puesta por"))
    def placed_word(self, hold: Hold) -> str:
        return who(hold.placed_by)

    @column(gettext_lazy("Levantada por"))
    def released_word(self, hold: Hold) -> str:
        return who(hold.released_by)

    @act(gettext_lazy("Levantar con una nota"))
    def lift(self, request: HttpRequest, rows: QuerySet[Hold]) -> HttpResponse | None:
        """Lift the holds chosen, kind by kind, with a word for the history of their orders (PAY-07)."""
        chosen = list(
            rows.filter(released_at=None).order_by("id").values_list("id", "kind", "order_id")[:AT_MOST]
        )
        form = NoteForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            carried = [("action", "lift"), ("select_across", "0")]
            carried += [("_selected_action", str(pk)) for pk, _kind, _order in chosen]
            intro = _("Retenciones elegidas: %(n)s.") % {"n": len(chosen)}
            title, back = _("Levantar con una nota"), request.get_full_path()
            return self.ask(request, form, title, back=back, carried=carried, intro=intro)
        by_kind: dict[str, list[int]] = defaultdict(list)
        for _pk, kind, order_id in chosen:
            by_kind[kind].append(order_id)
        by, note = operator(request.user), form.cleaned_data["note"]  # type: ignore[arg-type]
        for kind, order_ids in by_kind.items():
            report(request, services.release(order_ids, HoldKind(kind), note=note, by=by, at=timezone.now()))
        return None

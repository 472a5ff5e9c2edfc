"""What the rooms of charges, paybacks and releases have in common: what was asked of a provider, and its answer."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.admin_forms import provider_word
from marketplace.reasons import answer_words
from marketplace.rooms import EstimatingPaginator, ReadingRoom, column, link, money, shortened
from payments.models import Ask, Charge, Payback, Release
from payments.states import AskState

COLOURS: dict[str, str] = {
    AskState.WAITING: "info",
    AskState.ASKED: "warning",
    AskState.SUCCEEDED: "success",
    AskState.REFUSED: "danger",
    AskState.VOID: "default",
}


def answer_word(ask: Ask) -> str:
    """What the provider answered, or else what went wrong in asking; what we have no words for is as it came."""
    return answer_words(ask.message or ask.last_error)


class AskRoom(ReadingRoom):
    """Things asked of a provider, once each."""

    list_select_related = ("shop", "order")
    list_display_links = ("amount",)
    fields = (
        ("order_word", "shop_word", "amount"),
        ("state", "asked_at", "answered_at"),
        ("tries", "due_at", "claimed_until"),
        ("answer", "last_error"),
        ("provider_name", "reference", "key"),
        "created_at",
    )
    readonly_fields = ("order_word", "shop_word", "amount", "provider_name", "answer")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator

    def name_of(self, row: Charge | Payback | Release) -> str:
        words = {
            "what": str(row._meta.verbose_name).capitalize(),
            "amount": self.amount(row),
            "order": row.order,
        }
        return _("%(what)s de %(amount)s · %(order)s") % words

    @column(gettext_lazy("Proveedor"))
    def provider_name(self, ask: Ask) -> str:
        return provider_word(ask.provider)

    @column(gettext_lazy("Respuesta"))
    def answer(self, ask: Ask) -> str:
        return answer_word(ask) if ask.message else "–"

    @column(gettext_lazy("Último error"))
    def error_word(self, ask: Ask) -> str:
        return shortened(answer_word(ask))

    @column(gettext_lazy("Pedido"))
    def order_word(self, ask: Charge | Payback | Release) -> str:
        return link(ask.order)

    @column(gettext_lazy("Importe"), formatting="price")
    def amount(self, ask: Ask) -> str:
        return money(ask.amount_cents, ask.currency)

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, ask: Ask) -> tuple[str, str]:
        return ask.state, str(AskState(ask.state).label)

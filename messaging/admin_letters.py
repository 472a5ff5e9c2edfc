"""The operators' rooms of mail that comes in: reply addresses, to be revoked, and what was turned away (MSG-07)."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace.rooms import EstimatingPaginator, ReadingRoom, act, column, link, moment, register
from messaging import replying
from messaging.models import Correspondent, MailRefusal, NotTaken

SOURCES = {
    "mail": gettext_lazy("correo"),
    "mailbox": gettext_lazy("buzón local"),
    "brevo": "Brevo",
    "mailgun": "Mailgun",
}


@register(Correspondent)
class CorrespondentAdmin(ReadingRoom):
    """Who may answer by mail in which conversation; an address that has got about is revoked."""

    list_display = ("email", "audience_name", "shop_word", "order_word", "created_at", "revoked_word")
    list_filter = (("audience", ChoicesDropdownFilter),)
    search_fields = ("email",)
    search_help_text = gettext_lazy("El correo de quien contesta, entero.")
    list_select_related = ("shop", "thread__order")
    ordering = ("-id",)
    paginator = EstimatingPaginator
    sortable_by = ()
    actions = ("revoke",)
    fields = (("email", "audience_name"), ("shop_word", "order_word"), ("created_at", "revoked_word"))
    readonly_fields = ("audience_name", "shop_word", "order_word", "revoked_word")

    def name_of(self, row: Correspondent) -> str:
        return str(row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correspondent], search_term: str
    ) -> tuple[QuerySet[Correspondent], bool]:
        """By the whole address."""
        term = search_term.strip().lower()
        return (queryset.filter(email=term) if term else queryset), False

    @column(gettext_lazy("Papel"))
    def audience_name(self, one: Correspondent) -> str:
        return str(one.get_audience_display()).capitalize()

    @column(gettext_lazy("Pedido"))
    def order_word(self, one: Correspondent) -> SafeString | str:
        return link(one.thread.order) if one.thread.order else "–"

    @column(gettext_lazy("Anulada"))
    def revoked_word(self, one: Correspondent) -> str:
        return moment(one.revoked_at)

    @act(gettext_lazy("Anular"))
    def revoke(self, request: HttpRequest, rows: QuerySet[Correspondent]) -> None:
        n = replying.revoke(list(rows.values_list("id", flat=True)), at=timezone.now())
        words = ngettext("%(n)s dirección anulada.", "%(n)s direcciones anuladas.", n)
        messages.success(request, words % {"n": n})


@register(MailRefusal)
class MailRefusalAdmin(ReadingRoom):
    """Mails that were turned away, counted by day; nothing of them is kept."""

    list_display = ("day", "source_word", "reason_word", "times", "last_at")
    list_filter = (("reason", ChoicesDropdownFilter),)
    fields = (("day", "source_word", "reason_word"), ("times", "last_at"))
    readonly_fields = ("source_word", "reason_word")
    ordering = ("-day", "source", "id")
    sortable_by = ()

    def name_of(self, row: MailRefusal) -> str:
        return f"{row.day:%d/%m/%Y} · {row.get_reason_display()}"

    @column(gettext_lazy("Llega por"))
    def source_word(self, refusal: MailRefusal) -> str:
        return str(SOURCES.get(refusal.source, refusal.source))

    @column(gettext_lazy("Motivo"))
    def reason_word(self, refusal: MailRefusal) -> str:
        return str(NotTaken(refusal.reason).label)

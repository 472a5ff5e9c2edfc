"""The operators' rooms of notices: what was told to whom, what waits, was given up or came back (NOT-01)."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from jinja2 import TemplateError
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    act,
    column,
    language_word,
    link,
    moment,
    register,
    shortened,
)
from messaging import admin_letters, admin_notes, admin_templates, admin_threads, services  # noqa: F401
from messaging.bounces import reason_words
from messaging.documents import Letters
from messaging.event_words import event_word
from messaging.models import BounceRefusal, NotHeard, Notice
from messaging.notice_table import TABLE
from orders.admin_filters import called
from orders.admin_panels import ORDER_PANELS
from orders.models import Order

TONES = {"sent": "success", "waiting": "info", "given_up": "danger", "bounced": "danger", "muted": "default"}


def situation_of(notice: Notice) -> tuple[str, str]:
    """How far a notice has come, as (code, words)."""
    if notice.bounced_at:
        return "bounced", pgettext("notice", "Devuelto")
    if notice.sent_at:
        return "sent", pgettext("notice", "Enviado")
    if notice.muted:
        return "muted", _("Callado")
    if notice.given_up_at:
        return "given_up", _("Abandonado")
    return "waiting", _("Por enviar")


def notices_panel(order: Order) -> Panel:
    """What was told about an order."""
    headers = (_("Aviso"), _("Para"), _("Correo"), _("Idioma"), _("Situación"), pgettext("notice", "Enviado"))
    rows = [
        (link(one, event_word(one.event)), one.get_audience_display().capitalize(), one.email,
         language_word(one.language), situation_of(one)[1], moment(one.sent_at))
        for one in Notice.objects.filter(order_id=order.pk).order_by("id")[:SHOWN_IN_A_PANEL]
    ]  # fmt: skip
    return Panel(_("Avisos"), headers, rows)


ORDER_PANELS.append(notices_panel)


def given_up() -> QuerySet[Notice]:
    """Notices that will not be tried again by themselves (NOT-01)."""
    return Notice.objects.filter(given_up_at__isnull=False, sent_at=None, bounced_at=None)


def bounced() -> QuerySet[Notice]:
    """Notices whose address takes no mail, that no operator has marked as seen (NOT-01)."""
    return Notice.objects.filter(bounced_at__isnull=False, bounce_seen_at=None)


waits.add(
    waits.Wait(
        5,
        "given_up",
        gettext_lazy("Avisos abandonados"),
        gettext_lazy("No se pudieron entregar. Mira el error, corrige la dirección y vuelve a intentarlo."),
        "messaging_notice_changelist",
        "?situation=given_up",
        given_up,
    )
)
waits.add(
    waits.Wait(
        6,
        "bounced",
        gettext_lazy("Correos devueltos"),
        gettext_lazy("La dirección no los recibe. Busca otra manera de avisar y márcalos como vistos."),
        "messaging_notice_changelist",
        "?situation=bounced",
        bounced,
    )
)


class EventFilter(SimpleListFilter):
    """Notices of one event of the table."""

    title = gettext_lazy("suceso")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event, event_word(event)) for event in TABLE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class SituationFilter(SimpleListFilter):
    """Notices by how far they have come."""

    title = gettext_lazy("situación")
    parameter_name = "situation"
    ROWS: ClassVar[dict[str, dict[str, Any]]] = {
        "waiting": {"sent_at": None, "given_up_at": None, "muted": False},
        "sent": {"sent_at__isnull": False, "bounced_at": None},
        "given_up": {"given_up_at__isnull": False, "sent_at": None, "bounced_at": None},
        "bounced": {"bounced_at__isnull": False, "bounce_seen_at": None},
        "seen": {"bounce_seen_at__isnull": False},
        "muted": {"muted": True},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = (_("Por enviar"), pgettext("notice", "Enviado"), _("Abandonado"), pgettext("notice", "Devuelto"),
                 _("Devuelto y visto"), _("Callado"))  # fmt: skip
        return list(zip(self.ROWS, words, strict=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        return queryset.filter(**self.ROWS.get(self.value() or "", {}))


@register(Notice)
class NoticeAdmin(ReadingRoom):
    """Every notice; one that was given up can be sent again."""

    list_display = (
        "event_name",
        "audience_name",
        "email",
        "situation",
        "due_at",
        "sent_at",
        "tries",
        "error_word",
    )
    list_filter = (SituationFilter, EventFilter, ("audience", ChoicesDropdownFilter))
    search_fields = ("order_id",)
    search_help_text = gettext_lazy("El principio del número de pedido.")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("again", "seen")
    fields = (
        ("event_name", "situation_word", "order_word", "shop_word"),
        ("audience_name", "email", "language_name"),
        ("due_at", "sent_at", "given_up_at"),
        ("bounced_at", "bounce_word", "bounce_seen_at"),
        ("tries", "last_error", "message_id"),
        "letter",
    )
    readonly_fields = (
        "event_name", "situation_word", "order_word", "shop_word", "audience_name", "language_name", "letter",
        "bounce_word",
    )  # fmt: skip

    def name_of(self, row: Notice) -> str:
        return f"{event_word(row.event)} · {row.email}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notice], search_term: str
    ) -> tuple[QuerySet[Notice], bool]:
        """By the beginning of the order's number, which has an index."""
        term = search_term.strip()
        if term:
            queryset = queryset.filter(order_id__in=called(term))
        return queryset, False

    @column(gettext_lazy("El mensaje"))
    def letter(self, notice: Notice) -> SafeString | str:
        """The mail as its reader gets it, in their language."""
        try:
            mail = Letters().mail(notice)
        except (TemplateError, LookupError, TypeError, ValueError) as flaw:
            return _("No se puede escribir: %(flaw)s") % {"flaw": flaw}
        return format_html('<strong>{}</strong><pre class="room-letter">{}</pre>', mail.subject, mail.body)

    @column(gettext_lazy("Suceso"))
    def event_name(self, notice: Notice) -> str:
        return event_word(notice.event)

    @column(gettext_lazy("Para"))
    def audience_name(self, notice: Notice) -> str:
        return str(notice.get_audience_display()).capitalize()

    @column(gettext_lazy("Idioma"))
    def language_name(self, notice: Notice) -> str:
        return language_word(notice.language)

    @column(gettext_lazy("Pedido"))
    def order_word(self, notice: Notice) -> str:
        order = Order.objects.filter(pk=notice.order_id).first() if notice.order_id else None
        return link(order) if order else "–"

    @column(gettext_lazy("Último error"))
    def error_word(self, notice: Notice) -> str:
        return shortened(reason_words(notice.bounce_reason) or notice.last_error)

    @column(gettext_lazy("Por qué volvió"))
    def bounce_word(self, notice: Notice) -> str:
        return reason_words(notice.bounce_reason) or "–"

    @column(gettext_lazy("Situación"), label=TONES)
    def situation(self, notice: Notice) -> tuple[str, str]:
        return situation_of(notice)

    @column(gettext_lazy("Situación"))
    def situation_word(self, notice: Notice) -> str:
        return situation_of(notice)[1]

    @act(gettext_lazy("Volver a intentar"))
    def again(self, request: HttpRequest, rows: QuerySet[Notice]) -> None:
        n = services.send_again(list(rows.values_list("id", flat=True)), at=timezone.now())
        bell.ring("notices")
        messages.success(request, ngettext("%(n)s aviso se envía.", "%(n)s avisos se envían.", n) % {"n": n})

    @act(gettext_lazy("Marcar como vistos"))
    def seen(self, request: HttpRequest, rows: QuerySet[Notice]) -> None:
        n = services.see_bounces(list(rows.values_list("id", flat=True)), at=timezone.now())
        words = ngettext("%(n)s correo devuelto, visto.", "%(n)s correos devueltos, vistos.", n)
        messages.success(request, words % {"n": n})


SOURCES = {"mail": gettext_lazy("correo"), "brevo": "Brevo", "mailgun": "Mailgun"}


@register(BounceRefusal)
class BounceRefusalAdmin(ReadingRoom):
    """News of bounces that was turned away, counted by day; nothing of it is kept."""

    list_display = ("day", "source_word", "reason_word", "times", "last_at")
    list_filter = (("reason", ChoicesDropdownFilter),)
    fields = (("day", "source_word", "reason_word"), ("times", "last_at"))
    readonly_fields = ("source_word", "reason_word")
    ordering = ("-day", "source", "id")
    sortable_by = ()

    def name_of(self, row: BounceRefusal) -> str:
        return f"{row.day:%d/%m/%Y} · {row.get_reason_display()}"

    @column(gettext_lazy("Llega por"))
    def source_word(self, refusal: BounceRefusal) -> str:
        return str(SOURCES.get(refusal.source, refusal.source))

    @column(gettext_lazy("Motivo"))
    def reason_word(self, refusal: BounceRefusal) -> str:
        return str(NotHeard(refusal.reason).label)

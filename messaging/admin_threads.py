"""The operators' room of conversations: reading any of them, answering, and starting one (MSG-01 … MSG-07, ROL-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import SELECT_CLASSES

from marketplace import bell, waits
from marketplace.moments import stamp
from marketplace.refusals import MoveRefused
from marketplace.rooms import (
    SHOWN_IN_A_PANEL,
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    Room,
    ShopFilter,
    column,
    found,
    is_key,
    link,
    moment,
    register,
    shortened,
)
from messaging import admin_filters, attachments, conversing, templates
from messaging.admin_filters import AboutFilter, ReasonFilter, TurnFilter, WhoFilter
from messaging.admin_forms import AnswerForm, StartForm, WhomForm
from messaging.filling import picker
from messaging.models import Attachment, CameBy, Message, Thread
from messaging.thread_words import title_of, to_words, writer_words
from orders.admin_panels import ORDER_PANELS
from orders.models import Order
from sellers.desk import operator
from sellers.models import Shop

A_PAGE = 200
"""Messages of a conversation on one page."""


def for_operators() -> QuerySet[Thread]:
    """Conversations in which a message waits for an operator."""
    return Thread.objects.filter(operator_waits_since__isnull=False)


waits.add(
    waits.Wait(
        4,
        "threads",
        gettext_lazy("Conversaciones que te esperan"),
        gettext_lazy("Te han escrito y nadie ha contestado. Contesta, o di que ya está visto."),
        "messaging_thread_changelist",
        "?turn=you",
        for_operators,
    )
)


def until(deadline: datetime) -> str:
    """A deadline in figures: one at midnight is the 24:00 of the day that it ends."""
    return stamp(deadline, timezone.get_current_timezone(), ends=True)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as the room shows it."""

    message: Message
    writer: str
    readers: str
    at: str
    marks: tuple[tuple[str, str], ...]
    """Words of note and their tone: misdirected, came by mail, waits, needs no answer."""

    files: Sequence[Attachment] = ()


def said(message: Message, files: Sequence[Attachment] = ()) -> Said:
    """A message with what is to be known of it besides its text (MSG-06, MSG-07)."""
    now, marks = timezone.now(), []
    if message.misdirected:
        marks.append((_("Contestó al aviso por correo: solo te ha llegado a ti"), "warning"))
    elif message.came_by == CameBy.MAIL:
        marks.append((_("Llegó por correo"), "info"))
    if message.answer_by and not message.answered_at and not message.needs_no_answer:
        late = message.answer_by < now
        words = (
            _("La tienda va tarde: tenía hasta el %(moment)s")
            if late
            else _("La tienda tiene hasta el %(moment)s")
        )
        marks.append((words % {"moment": until(message.answer_by)}, "danger" if late else "info"))
    if message.is_invoice:
        marks.append((_("Es la factura que pidió el cliente"), "success"))
    if message.needs_no_answer:
        marks.append((_("No requiere respuesta"), "default"))
    if message.to_operator and not message.read_by_operator_at:
        marks.append((_("Sin ver"), "warning"))
    return Said(
        message, writer_words(message), to_words(message), moment(message.written_at), tuple(marks), files
    )


def _picker(request: HttpRequest, thread: Thread) -> dict[str, Any]:
    carried = {name: request.GET[name] for name in ("order", "shop") if name in request.GET}
    made = picker(templates.offered(thread.shop, thread.order), request.GET.get("plantilla", ""), carried)
    return {**made, "looks": " ".join(SELECT_CLASSES)}


def _last(field: str) -> Subquery:
    """A column of the last message of a thread that can be seen."""
    rows = Message.objects.filter(thread=OuterRef("pk"), visible_at__lte=timezone.now())
    return Subquery(rows.order_by("-id").values(field)[:1])


@register(Thread)
class ThreadAdmin(Room):
    """Every conversation. What is written here goes through the same services as everywhere else."""

    list_display = (
        "title_word", "turn_word", "last_word", "order_word", "shop_word", "channel_name", "written_at",
        "messages_count",
    )  # fmt: skip
    list_filter = (
        TurnFilter,
        AboutFilter,
        WhoFilter,
        ReasonFilter,
        ("channel", ChannelFilter),
        ("shop", ShopFilter),
    )
    list_select_related = ("shop", "channel", "order", "supplier", "request")
    search_fields = ("order__reference",)
    search_help_text = gettext_lazy("Palabras de un mensaje, o el principio del número de pedido.")
    ordering = ("-written_at", "-id")
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Thread]:
        rows: QuerySet[Thread] = super().get_queryset(request)
        return rows.annotate(last_body=_last("body"), last_author=_last("author"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Thread], search_term: str
    ) -> tuple[QuerySet[Thread], bool]:
        term = search_term.strip()
        return (admin_filters.found(queryset, term, at=timezone.now()) if term else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A conversation with all that was said in it, and the answer to be written under it."""
        thread = self._thread(object_id)
        if thread is None:
            absent: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return absent
        if "seen" in request.POST:
            return self._seen(request, thread)
        if "take_back" in request.POST:
            return self._take_back(request, thread)
        form, status = self._form(request, thread), 200
        if form.is_bound and form.is_valid() and "send" in request.POST:
            try:
                conversing.write(
                    thread.pk, form.words, to=form.to_whom, by=self._by(request), at=timezone.now()
                )
            except MoveRefused as refused:
                form.add_error("text", refused.refusal.text)
                status = 409
            else:
                return self._sent(request, thread)
        return self._thread_page(
            request, thread, form, status=422 if form.errors and status == 200 else status
        )

    def _thread(self, object_id: str) -> Thread | None:
        if not is_key(object_id):
            return None
        related = (
            "shop__account_manager",
            "order__policy",
            "order__channel",
            "supplier",
            "channel",
            "request",
        )
        return Thread.objects.select_related(*related).filter(pk=object_id).first()

    def _by(self, request: HttpRequest) -> Any:
        return operator(request.user)  # type: ignore[arg-type]

    def _form(self, request: HttpRequest, thread: Thread) -> AnswerForm:
        """The answer as it was sent, or with a template that was chosen filled in."""
        if request.method == "POST":
            return AnswerForm(request.POST, request.FILES, thread=thread)
        return AnswerForm(thread=thread, initial={"text": self._template_text(request, thread)})

    def _template_text(self, request: HttpRequest, thread: Thread) -> str:
        offered = templates.offered(thread.shop, thread.order)
        one = templates.chosen(request.GET.get("plantilla", ""), offered)
        return templates.filled(one, thread.order).text if one else ""

    def _thread_page(
        self, request: HttpRequest, thread: Thread, form: AnswerForm, *, status: int = 200
    ) -> HttpResponse:
        now, before = timezone.now(), request.GET.get("antes", "")
        mine = Q(visible_at__lte=now) | Q(user_id=request.user.pk)
        rows = thread.messages.filter(mine)
        if is_key(before):
            rows = rows.filter(id__lt=int(before))
        newest = list(rows.order_by("-id")[: A_PAGE + 1])
        older = newest[A_PAGE - 1].id if len(newest) > A_PAGE else None
        files = attachments.of(newest[:A_PAGE])
        shown = [said(one, files.get(one.id, ())) for one in reversed(newest[:A_PAGE])]
        back = next((one for one in newest if one.user_id == request.user.pk and one.visible_at > now), None)
        name = title_of(thread)
        request.room_name = name  # type: ignore[attr-defined]
        return self.page(
            request,
            "rooms/thread.html",
            name,
            status=status,
            thread=thread,
            said=shown,
            older=older,
            form=form,
            take_back=back,
            order_link=link(thread.order) if thread.order else "",
            shop_link=link(thread.shop),
            back=self.address("changelist"),
            picker=_picker(request, thread),
        )

    def _seen(self, request: HttpRequest, thread: Thread) -> HttpResponse:
        conversing.seen(thread.pk, by=self._by(request), at=timezone.now())
        waits.forget()
        messages.success(request, _("Visto: ya no te espera."))
        return HttpResponseRedirect(self.address("changelist") + "?turn=you")

    def _take_back(self, request: HttpRequest, thread: Thread) -> HttpResponse:
        """Take back what was just sent; its text is in the box again, and nobody has seen it."""
        key = request.POST["take_back"]
        rows = thread.messages.filter(pk=key if is_key(key) else 0)
        message = rows.first()
        if message is None:
            raise Http404
        only = thread.messages_count == 1
        try:
            text = conversing.take_back(message.pk, by=self._by(request), at=timezone.now())
        except MoveRefused as refused:
            messages.error(request, refused.refusal.text)
            return HttpResponseRedirect(self.address("change", thread.pk))
        messages.success(request, _("No ha salido: nadie lo ha visto."))
        if only:
            return HttpResponseRedirect(self.address("changelist"))
        form = AnswerForm(thread=thread, initial={"text": text})
        thread.refresh_from_db()
        return self._thread_page(request, thread, form)

    def _sent(self, request: HttpRequest, thread: Thread) -> HttpResponse:
        bell.ring("notices")
        waits.forget()
        seconds = int(conversing.TAKE_BACK.total_seconds())
        messages.success(request, _("Enviado. Durante %(n)s segundos puedes recuperarlo.") % {"n": seconds})
        return HttpResponseRedirect(self.address("change", thread.pk))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Start a conversation about an order, or with a shop about none (MSG-02, MSG-14)."""
        order, shop = self._about(request)
        if shop is None:
            return self._whom(request)
        thread = Thread(shop=shop, order=order, channel=order.channel if order else None)
        sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        form, status = StartForm(*sent, thread=thread, initial=self._first(request, thread)), 200
        if form.is_bound and form.is_valid():
            given = form.cleaned_data
            try:
                message = conversing.start(
                    shop, form.words, to=form.to_whom, order=order, reason_code=given["reason"],
                    subject=given["subject"], by=self._by(request), at=timezone.now(),
                )  # fmt: skip
            except MoveRefused as refused:
                form.add_error("text", refused.refusal.text)
                status = 409
            else:
                return self._sent(request, message.thread)
        back = _page_of(order) if order else _page_of(shop)
        title = _("Escribir sobre el pedido %(order)s") if order else _("Escribir a %(shop)s")
        return self.page(
            request, "rooms/write.html", title % {"order": order, "shop": shop}, form=form, back=back,
            status=422 if form.errors and status == 200 else status, thread=thread,
            picker=_picker(request, thread),
        )  # fmt: skip

    def _first(self, request: HttpRequest, thread: Thread) -> dict[str, str]:
        """A template that was chosen, filled in as the first message."""
        one = templates.chosen(request.GET.get("plantilla", ""), templates.offered(thread.shop, thread.order))
        if one is None:
            return {}
        made = templates.filled(one, thread.order)
        return {"text": made.text, "subject": made.subject}

    def _about(self, request: HttpRequest) -> tuple[Order | None, Shop | None]:
        """The order, or the shop, that an address names."""
        if key := request.GET.get("order"):
            order = found(Order.objects.select_related("shop", "channel", "policy"), key)
            return order, order.shop
        if key := request.GET.get("shop"):
            return None, found(Shop, key)
        return None, None

    def _whom(self, request: HttpRequest) -> HttpResponse:
        form = WhomForm(request.POST or None)
        if form.is_bound and form.is_valid():
            whom = form.cleaned_data["whom"]
            name = "order" if isinstance(whom, Order) else "shop"
            return HttpResponseRedirect(f"{self.address('add')}?{name}={whom.pk}")
        title, back = _("Nueva conversación"), self.address("changelist")
        return self.ask(
            request, form, title, back=back, label=_("Seguir"), status=422 if form.errors else 200
        )

    @column(gettext_lazy("Conversación"))
    def title_word(self, thread: Thread) -> str:
        return shortened(title_of(thread), 60)

    @column(gettext_lazy("Quién contesta"), label={"you": "warning", "late": "danger", "shop": "info"})
    def turn_word(self, thread: Thread) -> tuple[str, str] | str:
        if thread.operator_waits_since:
            return "you", _("Te espera desde el %(moment)s") % {"moment": moment(thread.operator_waits_since)}
        if thread.waiting and thread.answer_by:
            late = thread.answer_by < timezone.now()
            words = _("Tienda, tarde desde el %(moment)s") if late else _("Tienda, hasta el %(moment)s")
            return "late" if late else "shop", words % {"moment": until(thread.answer_by)}
        return "–"

    @column(gettext_lazy("Lo último"))
    def last_word(self, thread: Thread) -> str:
        body = getattr(thread, "last_body", None)
        author = getattr(thread, "last_author", None)
        return shortened(f"{author}: {' '.join(body.split())}", 90) if body else "–"

    @column(gettext_lazy("Pedido"))
    def order_word(self, thread: Thread) -> str:
        return link(thread.order) if thread.order else "–"

    @column(gettext_lazy("Canal"))
    def channel_name(self, thread: Thread) -> str:
        return str(thread.channel or "–")


def _page_of(row: Order | Shop) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def threads_panel(order: Order) -> Panel:
    """The conversations on an order, and the way to a new one."""
    headers = (
        _("Conversación"),
        _("Mensajes"),
        _("Lo último"),
        _("Te espera desde"),
        _("La tienda contesta antes de"),
    )
    rows = [
        (link(one, title_of(one)), one.messages_count, moment(one.written_at), moment(one.operator_waits_since),
         until(one.answer_by) if one.answer_by else "–")
        for one in Thread.objects.filter(order=order)
        .select_related("request")
        .order_by("-written_at", "-id")[:SHOWN_IN_A_PANEL]
    ]  # fmt: skip
    write = f"{reverse('admin:messaging_thread_add')}?order={order.pk}"
    return Panel(
        _("Conversaciones"), headers, rows, numbers=(1,), ways=[(_("Escribir sobre este pedido"), write)]
    )


ORDER_PANELS.append(threads_panel)

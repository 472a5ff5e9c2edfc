"""The operators' notes on an order: a table on its page, and the way to add one (MSG-11)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.policy import Role
from marketplace.refusals import MoveRefused
from marketplace.rooms import (
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    ShopFilter,
    column,
    found,
    link,
    moment,
    register,
)
from messaging.admin_forms import OrderNoteForm
from messaging.models import OrderNote
from messaging.noting import add_note, notes_of
from orders.admin_panels import ORDER_PANELS
from orders.models import Order
from sellers.desk import operator


def readers(note: OrderNote) -> str:
    """Who reads a note, in words."""
    return _("También el cliente") if note.public else _("La tienda y los operadores")


@register(OrderNote)
class OrderNoteAdmin(ReadingRoom):
    """Every note, only read: they stay as evidence. One is added from its order's page (MSG-11)."""

    list_display = ("order_word", "shop_word", "readers_word", "author", "text", "written_at")
    list_filter = ("public", ("shop", ShopFilter))
    list_select_related = ("shop", "order")
    list_display_links = ("text",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    fields = (("order_word", "shop_word", "readers_word"), ("author", "written_at"), "letter")
    readonly_fields = ("order_word", "shop_word", "readers_word", "letter")

    def name_of(self, row: OrderNote) -> str:
        return _("Nota sobre %(order)s") % {"order": row.order}

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_view_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        """Add a note to the order that the address names."""
        order = found(Order, request.GET.get("order", ""))
        form, status = OrderNoteForm(request.POST or None), 200
        back = reverse("admin:orders_order_change", args=[order.pk])
        if form.is_bound and form.is_valid():
            given = form.cleaned_data
            public, by = given["public"] == "public", operator(request.user)  # type: ignore[arg-type]
            try:
                add_note(order.pk, given["body"], public=public, by=by, at=timezone.now())
            except MoveRefused as refused:
                form.add_error("body", refused.refusal.text)
                status = 409
            else:
                messages.success(request, _("Nota añadida."))
                return HttpResponseRedirect(back)
        title = _("%(order)s: añadir una nota") % {"order": order}
        intro = _("Se queda como prueba: nadie puede cambiarla ni borrarla.")
        status = 422 if form.errors and status == 200 else status
        return self.ask(
            request, form, title, back=back, label=_("Añadir la nota"), intro=intro, status=status
        )

    @column(gettext_lazy("Pedido"))
    def order_word(self, note: OrderNote) -> str:
        return link(note.order)

    @column(gettext_lazy("Quién la lee"))
    def readers_word(self, note: OrderNote) -> str:
        return readers(note)

    @column(gettext_lazy("Nota"))
    def text(self, note: OrderNote) -> str:
        words = " ".join(note.body.split())
        return words if len(words) <= 90 else f"{words[:89]}…"

    @column(gettext_lazy("Nota"))
    def letter(self, note: OrderNote) -> str:
        return format_html('<pre class="room-letter">{}</pre>', note.body)


def notes_panel(order: Order) -> Panel:
    """The notes on an order, each with who reads it."""
    headers = (_("Nota"), _("Quién la lee"), _("De"), _("Escrita"))
    rows = [
        (
            format_html('<span class="room-said">{}</span>', one.body),
            readers(one),
            one.author,
            moment(one.written_at),
        )
        for one in notes_of(order, Role.OPERATOR)
    ]
    add = f"{reverse('admin:messaging_ordernote_add')}?order={order.pk}"
    return Panel(_("Notas"), headers, rows, ways=[(_("Añadir una nota"), add)])


ORDER_PANELS.append(notes_panel)

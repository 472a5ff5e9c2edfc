"""The operators' room of what shops and customers ask for: granted or declined in a click (ROL-05, CAN-03)."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marketplace import bell, waits
from marketplace.policy import Role
from marketplace.reasons import Why, said
from marketplace.refusals import Outcome, Refusal
from marketplace.rooms import (
    Panel,
    ReadingRoom,
    RoomForm,
    ShopFilter,
    act,
    column,
    found,
    link,
    register,
    shortened,
    tell,
)
from orders import services
from orders.admin_acts import FOLLOWERS
from orders.models import Asking, Request
from orders.signals import Moved
from orders.states import State
from orders.telling import asked_words, kind_of
from sellers.desk import operator, who

COLOURS = {
    Asking.OPEN: "warning",
    Asking.APPROVED: "success",
    Asking.DECLINED: "danger",
    Asking.WITHDRAWN: "default",
    Asking.OVERTAKEN: "default",
}


def unanswered() -> QuerySet[Request]:
    """What was asked of the operator and nobody has answered (ROL-05)."""
    return Request.objects.filter(state=Asking.OPEN, asked_of=Role.OPERATOR)


waits.add(
    waits.Wait(
        3,
        "requests",
        gettext_lazy("Peticiones"),
        gettext_lazy("Alguien pide algo que solo tú puedes hacer. Apruébalo, y se hace, o di por qué no."),
        "orders_request_changelist",
        "?state__exact=open&asked_of__exact=operator",
        unanswered,
    )
)


class ApproveForm(RoomForm):
    """The click, and a word with it if there is one to say."""

    answer = forms.CharField(
        label=gettext_lazy("Una palabra con la respuesta"), max_length=300, required=False
    )


class DeclineForm(RoomForm):
    """Why not: whoever asked reads it."""

    answer = forms.CharField(label=gettext_lazy("Por qué no"), max_length=300)


@register(Request)
class RequestAdmin(ReadingRoom):
    """What was asked for, of whom, and what became of it."""

    list_display = ("act_word", "order_word", "why_word", "state_word", "asked_at", "by_word", "shop_word")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("asked_of", ChoicesDropdownFilter),
        ("verb", ChoicesDropdownFilter),
        ("shop", ShopFilter),
    )
    list_select_related = ("shop", "order")
    search_fields = ("order__reference",)
    search_help_text = gettext_lazy("El número de pedido.")
    sortable_by = ()
    actions = ("approve_many",)
    actions_detail = ("approve", "decline")
    fields = (
        "act_word", "order_word", "order_state_word", "why_word", "by_word", "asked_of", "asked_at", "state",
        "answer", "answered_at", "answered_word", "shop_word",
    )  # fmt: skip
    readonly_fields = (
        "act_word", "order_word", "order_state_word", "why_word", "by_word", "answered_word", "shop_word",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Request]:
        rows: QuerySet[Request] = super().get_queryset(request).select_related("shop", "order")
        return rows

    def name_of(self, row: Request) -> str:
        return f"{asked_words(row.verb, row.facts)} · {row.order}"

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """An answer is given once."""
        row = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and row.state == Asking.OPEN else []

    @act(gettext_lazy("Aprobar"), icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Grant it: what was asked for is done at once."""
        row = found(self.get_queryset(request), object_id)
        form = ApproveForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._told(
                request,
                row,
                services.approve(
                    row.pk,
                    answer=form.cleaned_data["answer"],
                    by=operator(request.user),  # type: ignore[arg-type]
                    at=timezone.now(),
                ),
            )
        return self.ask(request, form, _("Aprobar: %(what)s") % {"what": self.name_of(row)}, back=self._back(row),
                        label=_("Aprobar"), panels=[_panel(row)])  # fmt: skip

    @act(gettext_lazy("Denegar"), icon="block")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no, and why."""
        row = found(self.get_queryset(request), object_id)
        form = DeclineForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._told(
                request,
                row,
                services.decline(
                    row.pk,
                    answer=form.cleaned_data["answer"],
                    by=operator(request.user),  # type: ignore[arg-type]
                    at=timezone.now(),
                ),
            )
        return self.ask(request, form, _("Denegar: %(what)s") % {"what": self.name_of(row)}, back=self._back(row),
                        label=_("Denegar"), panels=[_panel(row)])  # fmt: skip

    @act(gettext_lazy("Aprobar"))
    def approve_many(self, request: HttpRequest, rows: QuerySet[Request]) -> None:
        """Grant every one that was chosen; one that is refused is told and stops none."""
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        moved: list[Moved] = []
        refused: list[Refusal] = []
        for pk in rows.order_by("id").values_list("id", flat=True)[:200]:
            outcome = services.approve(pk, by=by, at=at)
            moved += outcome.moved
            refused += outcome.refused
        self._tell(request, Outcome(moved, refused))

    def _tell(self, request: HttpRequest, outcome: Outcome[Moved]) -> None:
        waits.forget()
        bell.ring(*FOLLOWERS)
        tell(request, outcome, _("Respondido: %(n)s. Quien lo pidió lo sabe."))

    def _back(self, row: Request) -> str:
        return self.address("change", row.pk)

    def _told(self, request: HttpRequest, row: Request, outcome: Outcome[Moved]) -> HttpResponse:
        waits.forget()
        bell.ring(*FOLLOWERS)
        tell(request, outcome, _("Respondido: %(n)s. Quien lo pidió lo sabe."), lambda _id: str(row.order))
        return HttpResponseRedirect(self._back(row))

    @column(gettext_lazy("Se pide"))
    def act_word(self, row: Request) -> str:
        return asked_words(row.verb, row.facts)

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: Request) -> str:
        return link(row.order)

    @column(gettext_lazy("Estado del pedido"))
    def order_state_word(self, row: Request) -> str:
        return str(State(row.order.state).label)

    @column(gettext_lazy("Motivo"))
    def why_word(self, row: Request) -> str:
        return shortened(said(kind_of(row.verb), Why(row.reason_code, row.note)))

    @column(gettext_lazy("Lo pide"))
    def by_word(self, row: Request) -> str:
        return f"{who(row.asked_by)} ({row.get_asked_role_display()})"

    @column(gettext_lazy("Respondida por"))
    def answered_word(self, row: Request) -> str:
        return who(row.answered_by) or "–"

    @column(gettext_lazy("Estado"), label=COLOURS)
    def state_word(self, row: Request) -> tuple[str, str]:
        return row.state, row.get_state_display()


def _panel(row: Request) -> Panel:
    why = said(kind_of(row.verb), Why(row.reason_code, row.note))
    headers = (_("Pedido"), _("Estado"), _("Motivo"), _("Lo pide"))
    return Panel(
        _("La petición"),
        headers,
        [(link(row.order), State(row.order.state).label, why or "–", who(row.asked_by))],
    )

"""What a shop does to a return: one form, one service, then back to its page (REF-09)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.models import Carrier, Reason, ReasonKind
from marketplace.refusals import Code, MoveRefused
from orders.again import SeeOther
from orders.forms import Attempt
from refunds import return_ends, return_verbs
from refunds.models import ReturnRequest
from refunds.return_forms import HowForm, InspectForm, NoForm, NothingForm, ReplaceForm
from refunds.return_queries import get_return, lines_of
from refunds.states import RETURN_TABLE
from sellers.access import DeskRequest, at_the_desk, shown_with, visiting
from sellers.desk import Actor, Right, who_has

WORDS = {
    "aceptar": "accept",
    "rechazar": "refuse",
    "explicar": "instruct",
    "recibida": "receive",
    "revisar": "inspect",
    "cambiar": "replace",
    "no-admitir": "reject",
}
"""The acts of the page, by the word of each in its address."""

SAID = {
    "accept": gettext_lazy("Devolución aceptada. El cliente ya lo sabe."),
    "refuse": gettext_lazy("Devolución rechazada. El cliente ya lo sabe."),
    "instruct": gettext_lazy("El cliente ya sabe cómo mandarla."),
    "receive": gettext_lazy("Recibida. Ahora revísala."),
    "inspect": gettext_lazy("Revisada. Ahora reembólsala o cámbiala."),
    "replace": gettext_lazy("Recambio enviado. El cliente ya lo sabe."),
    "reject": gettext_lazy("No se devuelve nada por ella. El cliente ya sabe por qué."),
}


def form_of(row: ReturnRequest, act: str, data: Any = None, files: Any = None) -> forms.Form:
    """The form of an act, as it is first shown or as it was sent."""
    rules = row.order.policy.rules
    if act in ("accept", "instruct"):
        return HowForm(data, files, rules=rules, needed=act == "instruct")
    if act in ("refuse", "reject"):
        listed = Reason.objects.filter(kind=ReasonKind.NO_RETURN, active=True)
        return NoForm(data, reasons=list(listed))
    if act == "inspect":
        return InspectForm(data, lines=lines_of(row))
    if act == "replace":
        carriers = list(Carrier.objects.filter(active=True))
        return ReplaceForm(data, carriers=carriers, free_text=rules.free_text_carrier)
    return NothingForm(data)


def _said(form: forms.Form) -> dict[str, Any]:
    given = form.cleaned_data
    return {"instructions": given["instructions"], "files": given["files"]}


_DOING: dict[str, Callable[[ReturnRequest, Any, Actor, datetime], object]] = {
    "accept": lambda row, form, by, at: return_verbs.accept(row.id, **_said(form), by=by, at=at),
    "instruct": lambda row, form, by, at: return_verbs.instruct(row.id, **_said(form), by=by, at=at),
    "refuse": lambda row, form, by, at: return_verbs.refuse(
        row.id, reason=form.why, answer=form.cleaned_data["answer"], by=by, at=at
    ),
    "reject": lambda row, form, by, at: return_verbs.reject(
        row.id, reason=form.why, answer=form.cleaned_data["answer"], by=by, at=at
    ),
    "receive": lambda row, form, by, at: return_verbs.receive(row.id, by=by, at=at),
    "inspect": lambda row, form, by, at: return_verbs.inspect(row.id, form.good, form.flaws, by=by, at=at),
    "replace": lambda row, form, by, at: return_ends.replace(row.id, form.parcel, by=by, at=at),
}


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def return_act(request: DeskRequest, reference: str, number: int, word: str) -> HttpResponse:
    """Do one thing to a return. Whoever visits the address is on the way to its page; a second click is harmless.

    Raises Http404.
    """
    act = WORDS.get(word)
    if act is None:
        raise Http404(word)
    row = get_return(request.membership, reference, number)
    address = reverse("return", args=[reference, number])
    if request.method != "POST":
        return HttpResponseRedirect(address)
    if not request.actor.may(Right.WORK_ORDERS):
        row.order.shop = request.shop
        told = {"order": row.order, "who": who_has(Right.WORK_ORDERS)}
        return render(visiting(request, address), "orders/no_right.jinja", told, status=403)
    form = form_of(row, act, request.POST, request.FILES)
    if not form.is_valid():
        return shown_with(request, address, Attempt(act, form), 422)
    try:
        _DOING[act](row, form, request.actor, timezone.now())
    except MoveRefused as refused:
        if refused.refusal.code == Code.RETURN_ELSEWHERE and _done_already(row, act):
            return SeeOther(address)
        return shown_with(request, address, Attempt(act, form, refused.refusal), 409)
    ring("notices")
    messages.success(request, str(SAID[act]))
    return SeeOther(address)


def _done_already(row: ReturnRequest, act: str) -> bool:
    """Whether what a click wanted has been done: by the same click, or by another a moment before."""
    state = ReturnRequest.objects.values_list("state", flat=True).get(id=row.id)
    return any(verb == act and state in step.targets for (verb, _from), step in RETURN_TABLE.items())

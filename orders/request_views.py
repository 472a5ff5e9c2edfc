"""Asking for an act on an order, and answering what was asked for (ROL-05)."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.refusals import MoveRefused, Outcome
from orders import services
from orders.again import SeeOther, order_again
from orders.forms import Attempt
from orders.models import Order, Request
from orders.queries import get_order
from orders.request_forms import AnswerForm, AskForm
from orders.services.requests import ACTS
from orders.signals import Moved
from orders.states import Verb
from sellers.access import DeskRequest, at_the_desk, suppliers_too

FOLLOWERS = ("charge", "payback", "notices")
REASONS = {Verb.CANCEL: ReasonKind.CANCEL, Verb.REFUSE: ReasonKind.REFUSE}


def _of_order(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """An act on a request of an order of one's own; whether one may the service knows."""

    @suppliers_too
    def entered(request: DeskRequest, /, reference: str, **about: str) -> HttpResponse:
        order = get_order(request.membership, reference)
        if request.method != "POST":
            return HttpResponseRedirect(reverse("order", args=[order.reference]))
        return view(request, order, **about)

    return require_http_methods(["GET", "HEAD", "POST"])(wraps(view)(at_the_desk(entered)))


def asking_form(verb: str, data: object = None) -> AskForm:
    """The form that an act is asked for with."""
    kind = REASONS.get(Verb(verb))
    reasons = list(Reason.objects.filter(kind=kind, active=True)) if kind else []
    return AskForm(data, reasons=reasons, needs_reason=ACTS[verb].needs_reason)


@_of_order
def order_ask(request: DeskRequest, order: Order, verb: str) -> HttpResponse:
    """Ask whoever may for an act that one may not do."""
    if verb not in ACTS or verb not in Verb.values:
        raise Http404(verb)
    form = asking_form(verb, request.POST)
    attempt = Attempt("ask", form, about=verb)
    if not form.is_valid():
        return order_again(request, order, attempt, 422)
    asked = services.ask(
        order.id, verb, reason=form.why, facts=form.facts, by=request.actor, at=timezone.now()
    )
    return _told(request, order, attempt, asked, _("Pedido. Verás la respuesta aquí y en la conversación."))


def _request(order: Order, request_id: str) -> Request:
    """A request of the order. Raises Http404."""
    is_key = request_id.isascii() and request_id.isdecimal() and len(request_id) < 19
    row = order.requests.filter(id=request_id).first() if is_key else None
    if row is None:
        raise Http404(request_id)
    return row


@_of_order
def request_approve(request: DeskRequest, order: Order, request_id: str) -> HttpResponse:
    """Grant what was asked for: it is done at once."""
    row = _request(order, request_id)
    attempt = Attempt("answer", forms.Form(request.POST), about=request_id)
    outcome = services.approve(row.id, by=request.actor, at=timezone.now())
    return _told(request, order, attempt, outcome, _("Aprobado y hecho."))


@_of_order
def request_decline(request: DeskRequest, order: Order, request_id: str) -> HttpResponse:
    """Say no, and why."""
    row = _request(order, request_id)
    form = AnswerForm(request.POST, needed=True)
    attempt = Attempt("answer", form, about=request_id)
    if not form.is_valid():
        return order_again(request, order, attempt, 422)
    answer = form.cleaned_data["answer"]
    outcome = services.decline(row.id, answer=answer, by=request.actor, at=timezone.now())
    return _told(request, order, attempt, outcome, _("Denegado. Quien lo pidió lo sabrá."))


@_of_order
def request_withdraw(request: DeskRequest, order: Order, request_id: str) -> HttpResponse:
    """Take back what one asked for."""
    row = _request(order, request_id)
    attempt = Attempt("answer", forms.Form(request.POST), about=request_id)
    outcome = services.withdraw(row.id, by=request.actor, at=timezone.now())
    return _told(request, order, attempt, outcome, _("Petición retirada."))


def _told(
    request: DeskRequest, order: Order, attempt: Attempt, outcome: Outcome[Moved], said: str
) -> HttpResponse:
    try:
        services.one(outcome)
    except MoveRefused as refused:
        return order_again(request, order, replace(attempt, refusal=refused.refusal), 409)
    ring(*FOLLOWERS)
    messages.success(request, said)
    return SeeOther(reverse("order", args=[order.reference]))

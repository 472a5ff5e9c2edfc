"""What a shop's people do in conversations: start one, write, take back, say that no answer is needed, assign.

Refused by a rule: 409 and the order's page as it stands now, with the reason. Not understood: 422. What was typed is
kept either way (MSG-01 … MSG-09).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import assigning, conversing, invoices
from messaging.composing import CODES, choices, thread_choices
from messaging.conversations import get_message, get_thread, threads_of
from messaging.conversing import Words
from messaging.drafts import Draft, forget, keep
from messaging.forms import MessageForm, StartForm
from messaging.models import Message
from messaging.recipients import of
from orders.forms import Attempt
from orders.models import Order
from orders.queries import get_order
from sellers.access import DeskRequest, at_the_desk, suppliers_too, visiting
from sellers.desk import Right, who_has

type Act = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


def tab_url(order: Order, **parameters: str) -> str:
    """The address of an order's conversations."""
    return reverse("order", args=[order.reference], query={"tab": "mensajes", **parameters})


def _act(view: Act) -> Callable[..., HttpResponseBase]:
    """An act in the conversations of an order of one's own shop, posted by someone who may answer there (ROL-05).

    Whoever visits its address is on the way to the conversations.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    @at_the_desk
    @suppliers_too
    @wraps(view)
    def entered(request: DeskRequest, /, reference: str, **keys: int) -> HttpResponse:
        order = get_order(request.membership, reference)
        if request.method != "POST":
            return HttpResponseRedirect(tab_url(order))
        if request.membership.supplier_id is None and not request.actor.may(Right.ANSWER):
            told = {"order": order, "who": who_has(Right.ANSWER)}
            return render(visiting(request, tab_url(order)), "orders/no_right.jinja", told, status=403)
        return view(request, order, **keys)

    return entered


def _page(request: DeskRequest, order: Order, attempt: Attempt, status: int) -> HttpResponse:
    """The order's conversations with what went wrong; the page belongs to the app above: its address finds it."""
    address = tab_url(order)
    found, visit = resolve(reverse("order", args=[order.reference])), visiting(request, address)
    visit.attempt = attempt  # type: ignore[attr-defined]
    page: HttpResponse = found.func(visit, *found.args, **found.kwargs)
    page.status_code = status
    return page


def _send(
    request: DeskRequest, order: Order, form: MessageForm, act: str, write: Callable[[], Message]
) -> HttpResponse:
    attempt = Attempt(act, form)
    if not form.is_valid():
        return _page(request, order, attempt, 422)
    try:
        message = write()
    except MoveRefused as refused:
        return _page(request, order, replace(attempt, refusal=refused.refusal), 409)
    forget(request)
    ring("notices")
    return SeeOther(tab_url(order, enviado=str(message.id)) + f"#hilo-{message.thread_id}")


def _written(
    request: DeskRequest,
    order: Order,
    form: MessageForm,
    write: Callable[[Words], Message],
    at: datetime,
) -> Message:
    """Write a message, and with it hand in the invoice where it is said to be that (DOC-02)."""
    if form.is_invoice:
        return invoices.hand_in(order.id, form.words, write, by=request.actor, at=at)
    return write(form.words)


@_act
def conversation_start(request: DeskRequest, order: Order) -> HttpResponse:
    """Start a conversation about an order (MSG-02)."""
    reasons = list(Reason.objects.filter(kind=ReasonKind.CONTACT, active=True))
    form = StartForm(
        request.POST,
        request.FILES,
        choices=choices(request.membership, order=order),
        rules=order.policy.rules,
        reasons=reasons,
        owes=order.wants_invoice,
    )
    at = timezone.now()

    def write(words: Words) -> Message:
        return conversing.start(
            request.shop,
            words,
            to=form.recipient,
            order=order,
            reason_code=form.cleaned_data["reason"],
            subject=form.cleaned_data["subject"],
            by=request.actor,
            at=at,
        )

    return _send(request, order, form, "start", lambda: _written(request, order, form, write, at))


@_act
def conversation_reply(request: DeskRequest, order: Order, thread_id: int) -> HttpResponse:
    """Write in a conversation about an order (MSG-03 … MSG-05)."""
    thread = get_thread(request.membership, thread_id)
    if thread.order_id != order.id:
        raise Http404
    form = MessageForm(
        request.POST,
        request.FILES,
        choices=thread_choices(request.membership, thread),
        rules=order.policy.rules,
        thread_id=thread.id,
        owes=order.wants_invoice,
    )
    at = timezone.now()

    def write(words: Words) -> Message:
        return conversing.write(thread.id, words, to=form.recipient, by=request.actor, at=at)

    return _send(request, order, form, "reply", lambda: _written(request, order, form, write, at))


@_act
def message_take_back(request: DeskRequest, order: Order, message_id: int) -> HttpResponse:
    """Take back what one has just sent: its text goes back into its box (MSG-06)."""
    at = timezone.now()
    message = get_message(request.membership, order, message_id, by=request.actor, at=at)
    if message is None:  # pressed twice: the text waits already
        return SeeOther(tab_url(order))
    thread = message.thread
    try:
        conversing.take_back(message.id, by=request.actor, at=at)
    except Message.DoesNotExist:
        return SeeOther(tab_url(order))
    except MoveRefused as refused:
        return _page(request, order, Attempt("take_back", forms.Form(), refused.refusal), 409)
    gone = not threads_of(request.membership).filter(id=thread.id).exists()
    if request.POST.get("tab") == "documentos":
        messages.success(request, _("Deshecho: no ha salido, y nadie lo ha visto."))
        return SeeOther(reverse("order", args=[order.reference], query={"tab": "documentos"}))
    code = next((code for code, to in CODES.items() if to == of(message)), "")
    keep(
        request,
        Draft(order.id, 0 if gone else thread.id, code, message.body, thread.reason_code, thread.subject),
        at,
    )
    messages.success(
        request, _("Deshecho: no ha salido, y nadie lo ha visto. El texto está otra vez en su sitio.")
    )
    if gone:
        return SeeOther(tab_url(order, acto="escribir") + "#escribir")
    return SeeOther(tab_url(order) + f"#hilo-{thread.id}")


@_act
def message_needless(request: DeskRequest, order: Order, message_id: int) -> HttpResponse:
    """Say that a message needs no answer; while an incident is open, only after its warning (MSG-08)."""
    at = timezone.now()
    message = get_message(request.membership, order, message_id, by=request.actor, at=at)
    attempt = Attempt("needless", forms.Form())
    if message is None:
        refusal = Refusal(message_id, Code.NOTHING_TO_ANSWER)
        return _page(request, order, replace(attempt, refusal=refusal), 409)
    try:
        conversing.needs_no_answer(
            message.id, despite_incident="despite_incident" in request.POST, by=request.actor, at=at
        )
    except MoveRefused as refused:
        return _page(request, order, replace(attempt, refusal=refused.refusal), 409)
    messages.success(request, _("Anotado: no requiere respuesta, y su plazo ya no corre."))
    return SeeOther(tab_url(order) + f"#hilo-{message.thread_id}")


@require_POST
@at_the_desk
def conversation_assign(request: DeskRequest, thread_id: int) -> HttpResponse:
    """Say who looks after a conversation (MSG-01)."""
    thread = get_thread(request.membership, thread_id)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = reverse("inbox")
    to, was = _key(request, "to"), _key(request, "was")
    if request.POST.get("to") == "me":
        to = request.membership.id
    try:
        assigning.assign(thread.id, to, was=was, by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        if refused.refusal.code == Code.NOT_ALLOWED and not request.actor.may(Right.ANSWER):
            told = {"order": thread.order, "who": who_has(Right.ANSWER)}
            return render(visiting(request, back), "orders/no_right.jinja", told, status=403)
        messages.error(request, refused.refusal.text)
        return SeeOther(back)
    said = _("Ahora no la lleva nadie.") if to is None else _("Anotado quién la lleva.")
    messages.success(request, said if to != request.membership.id else _("Ahora la llevas tú."))
    return SeeOther(back)


def _key(request: DeskRequest, name: str) -> int | None:
    given = request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None

"""The pages of conversations that are no customer's: with the operator about no order, with a supplier on one; and the
notes on an order (MSG-11, MSG-14, ROL-04).

Refused by a rule: 409 and the page as it stands now, with the reason. Not understood: 422. What was typed is kept.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.policy import Settings
from marketplace.refusals import MoveRefused
from messaging import answer_clock, conversing, talks
from messaging.composing import choices, thread_choices
from messaging.forms import MessageForm, StartForm
from messaging.models import Message, Thread
from messaging.noting import add_note, may_note
from messaging.talk_forms import NoteForm
from messaging.thread_words import title_of, to_words, writer_words
from orders.forms import Attempt
from orders.queries import get_order
from sellers.access import DeskRequest, at_the_desk, shown_with, suppliers_too
from sellers.desk import Right, who_has

LONGEST_KEY = 18


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


def _key(request: DeskRequest, name: str = "antes") -> int:
    """A key of an address; 0 for what is none."""
    asked = request.GET.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_KEY else 0


def _send(form: MessageForm, write: Callable[[], Message]) -> tuple[Message | None, int]:
    """Send what a form says; answers the message, or the status of the page that says why not."""
    if not form.is_valid():
        return None, 422
    try:
        message = write()
    except MoveRefused as refused:
        form.add_error("text", refused.refusal.text)
        return None, 409
    ring("notices")
    return message, 303


def _sent(request: DeskRequest) -> tuple[Any, Any]:
    """What a form was sent with; nothing on a visit."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _rules(thread: Thread) -> Settings | None:
    """The policy that a conversation is under, which says what files it takes."""
    terms = answer_clock.terms_of(thread)
    return terms[0] if terms else None


def _answer(request: DeskRequest, thread: Thread) -> MessageForm:
    """The box of a conversation that was begun, or is about to be."""
    thread.shop = request.shop
    among = thread_choices(request.membership, thread)
    return MessageForm(*_sent(request), choices=among, rules=_rules(thread), thread_id=thread.pk or 0)


def _say_sent(request: DeskRequest) -> None:
    seconds = int(conversing.TAKE_BACK.total_seconds())
    messages.success(request, _("Enviado. Durante %(n)s segundos puedes recuperarlo.") % {"n": seconds})


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def to_operator(request: DeskRequest) -> HttpResponse:
    """The shop's conversations with the operator about no order, and a new one to begin (MSG-14)."""
    reasons = list(Reason.objects.filter(kind=ReasonKind.CONTACT, active=True))
    among, rules = choices(request.membership), _rules(Thread(shop=request.shop))
    form, status = StartForm(*_sent(request), choices=among, rules=rules, reasons=reasons), 200
    if request.method == "POST":
        message, status = _send(
            form,
            lambda: conversing.start(
                request.shop,
                form.words,
                to=form.recipient,
                reason_code=form.cleaned_data["reason"],
                subject=form.cleaned_data["subject"],
                by=request.actor,
                at=timezone.now(),
            ),
        )
        if message is not None:
            _say_sent(request)
            return SeeOther(reverse("operator_thread", args=[message.thread_id]))
    page = talks.operator_threads(request.membership, before=_key(request))
    told = {"page": page, "form": form, **_desk(request)}
    return render(request, "messaging/operator.jinja", told, status=status)


def _desk(request: DeskRequest) -> dict[str, object]:
    """What every page of conversations says of who may write, who is written to, and what time it is."""
    return {
        "now": timezone.now(),
        "manager": request.shop.account_manager,
        "may_write": request.membership.supplier_id is not None or request.actor.may(Right.ANSWER),
        "who_may": who_has(Right.ANSWER),
        "title_of": title_of,
        "to_words": to_words,
        "writer_words": writer_words,
        "longest": conversing.LONGEST,
        "undo_s": int(conversing.TAKE_BACK.total_seconds()),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def operator_thread(request: DeskRequest, thread_id: int) -> HttpResponse:
    """A conversation with the operator about no order, and what the shop adds to it (MSG-14)."""
    thread = talks.get_operator_thread(request.membership, thread_id)
    if "take_back" in request.POST:
        return _take_back(
            request, thread, reverse("operator_thread", args=[thread.pk]), reverse("to_operator")
        )
    form, status = _answer(request, thread), 200
    if request.method == "POST":
        message, status = _send(
            form,
            lambda: conversing.write(
                thread.pk, form.words, to=form.recipient, by=request.actor, at=timezone.now()
            ),
        )
        if message is not None:
            _say_sent(request)
            return SeeOther(reverse("operator_thread", args=[thread.pk]))
    return _thread_page(request, "messaging/operator_thread.jinja", thread, form, status)


def _thread_page(
    request: DeskRequest, template: str, thread: Thread | None, form: MessageForm, status: int, **told: object
) -> HttpResponse:
    """A conversation with its messages; who looks at it has read them."""
    now = timezone.now()
    page = talks.messages_of(thread, before=_key(request), by=request.actor, at=now)
    if thread is not None and any(
        one.message.to_shop and not one.message.read_by_shop_at for one in page.rows
    ):
        conversing.read([thread.pk], by=request.actor, at=now)
    if not form.is_bound and (kept := request.session.pop(KEPT, None)):
        form.initial["text"] = kept
    told |= {"thread": thread, "page": page, "form": form, **_desk(request)}
    return render(request, template, told, status=status)


KEPT = "taken_back"
"""Where the text of a message that was taken back waits for its box."""


def _take_back(request: DeskRequest, thread: Thread | None, here: str, up: str) -> HttpResponse:
    """Take back what was just sent: its text is in the box again, and nobody has seen it (MSG-06)."""
    asked = request.POST["take_back"]
    known = asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_KEY
    message = thread.messages.filter(pk=int(asked)).first() if thread and known else None
    if message is None:
        raise Http404
    try:
        request.session[KEPT] = conversing.take_back(message.pk, by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        messages.error(request, refused.refusal.text)
        return SeeOther(here)
    messages.success(request, _("No ha salido: nadie lo ha visto."))
    return SeeOther(here if Thread.objects.filter(pk=message.thread_id).exists() else up)


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
@suppliers_too
def supplier_thread(request: DeskRequest, reference: str, supplier_id: int) -> HttpResponse:
    """What a shop and a supplier of it say to each other about an order; each side sees the same page (ROL-04)."""
    order = get_order(request.membership, reference)
    supplier = talks.get_supplier(order, request.membership, supplier_id)
    here = reverse("supplier_thread", args=[order.reference, supplier.pk])
    thread = talks.thread_with(order, supplier)
    if "take_back" in request.POST:
        return _take_back(request, thread, here, here)
    form, status = _answer(request, thread or Thread(shop=request.shop, order=order, supplier=supplier)), 200
    if request.method == "POST":
        message, status = _send(
            form,
            lambda: talks.write_to_supplier(order, supplier, form.words, by=request.actor, at=timezone.now()),
        )
        if message is not None:
            _say_sent(request)
            return SeeOther(here)
    told = {"order": order, "supplier": supplier, "own": request.membership.supplier_id is not None}
    return _thread_page(request, "messaging/supplier.jinja", thread, form, status, **told)


@at_the_desk
@require_POST
def order_note(request: DeskRequest, reference: str) -> HttpResponse:
    """Add a note to an order of one's own shop (MSG-11)."""
    order = get_order(request.membership, reference)
    address = reverse("order", args=[order.reference])
    if not may_note(request.actor):
        told = {"order": order, "who": who_has(Right.ANSWER)}
        return render(request, "orders/no_right.jinja", told, status=403)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return shown_with(request, address, Attempt("note", form), 422)
    try:
        add_note(
            order.pk, form.cleaned_data["body"], public=form.is_public, by=request.actor, at=timezone.now()
        )
    except MoveRefused as refused:
        return shown_with(request, address, Attempt("note", form, refused.refusal), 409)
    messages.success(request, _("Nota añadida."))
    return SeeOther(f"{address}#notas")

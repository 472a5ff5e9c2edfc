"""The customer's pages. Each act: one form, one service, then back to the page, which says what was done.

Refused by a rule: 409 and the page as it stands now, with the reason; too often: 429.
Not understood: 422 and the form as it was sent.
"""

from functools import partial
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from customer import acts
from customer import services as own
from customer.access import CustomerRequest, by_link, by_old_link, look_again, no_page, page
from customer.billing import bill_of
from customer.claims import claims_of, free_lines
from customer.conversation import conversation as conversation_of
from customer.conversation import readable
from customer.forms import CancelForm, ClaimForm, MessageForm, ReturnForm
from customer.giving_back import backs_of
from customer.goods import amounts_of, paid_words, parcels_of
from customer.happened import happened_to
from customer.story import story_of
from incidents.services import judge_opening
from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.moments import when
from marketplace.pdf import PdfUnavailable
from marketplace.policy import Role
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import attachments, conversing
from messaging.attachment_views import handed_out
from messaging.conversing import Words
from messaging.new_links import mail_new_link
from messaging.noting import notes_of
from orders import documents, services, telling
from orders.models import DocumentKind
from orders.states import Decision, State, Verb
from quality.queries import review_of
from refunds import returns
from refunds.queries import goods_back

DONE = {
    "escrito": gettext_lazy("Enviado. Te avisaremos por correo cuando te contesten."),
    "recibido": gettext_lazy("Gracias: queda anotado que te ha llegado."),
    "cancelado": gettext_lazy("Pedido cancelado."),
    "pedida": gettext_lazy("Pedido a quien puede cancelarlo. Te contestarán con un mensaje."),
    "incidencia": gettext_lazy("Incidencia abierta. La tienda te contestará con un mensaje."),
    "valorado": gettext_lazy("Gracias por decir cómo fue."),
    "devolucion": gettext_lazy("Devolución pedida. Te avisaremos por correo cuando la tienda conteste."),
    "mandada": gettext_lazy("Anotado: la tienda sabe que la has mandado."),
    "retirada": gettext_lazy("Devolución retirada: te lo quedas."),
    "factura": gettext_lazy("Anotado: la tienda sabe que quieres factura, y a nombre de quién."),
}
"""What the page says after an act, by the word in its address."""

LATEST = 3
"""So many messages are on the first page."""

either = require_http_methods(["GET", "HEAD", "POST"])


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


def finished(request: CustomerRequest, name: str, what: str) -> HttpResponse:
    """Off to a page of the link, which says what was done."""
    return SeeOther(request.way.to(name, hecho=what))


def _saidfinished(request: CustomerRequest) -> str:
    return str(DONE.get(request.GET.get("hecho", ""), "")) if request.method != "POST" else ""


def _status(refusal: Refusal | None) -> int:
    if refusal is None:
        return 200
    return 429 if refusal.code == Code.TOO_OFTEN else 409


def page_of(
    request: CustomerRequest, here: str, template: str, told: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page about the order; `here` is its own name."""
    now = timezone.now()
    ground = {"order": request.order, "here": here, "now": now, "zone": request.order.channel.calendar.zone}
    return page(
        request, template, {**ground, "done": _saidfinished(request), "refusal": None, **told}, status
    )


@by_link
@require_safe
def order_page(request: CustomerRequest) -> HttpResponse:
    """Where the order is, what comes next, and what its customer can do (ROL-03)."""
    return order_with(request)


def order_with(request: CustomerRequest, refusal: Refusal | None = None) -> HttpResponse:
    """The order's page as it stands, with what was refused."""
    order, now = request.order, timezone.now()
    lines = list(order.lines.all())
    happened = happened_to(order)
    talks, _older = conversation_of(order, now, most=LATEST)
    asked = returns.requests_of(order) if order.state in acts.ARRIVED else []
    latest = sorted((one for talk in talks for one in talk.said), key=lambda one: one.message.id)
    claims = claims_of(order) if order.parcels or order.confirmed_at else []
    told = {
        "claims": claims,
        "story": story_of(order, happened, now),
        "happened": happened,
        "offers": acts.offers(order, lines, asked, claims, by=request.actor, at=now),
        "lines": lines,
        "why_refused": telling.refusal,
        "parcels": parcels_of(order, lines),
        "amounts": amounts_of(order, lines),
        "paid": paid_words(order),
        "latest": latest,
        "bill": bill_of(order, by=request.actor, at=now),
        "files": attachments.of(one.message for one in latest) if latest else {},
        "backs": backs_of(order, asked, by=request.actor, at=now),
        "review": review_of(order) if order.state in acts.ARRIVED else None,
        "notes": notes_of(order, Role.CUSTOMER),
        "refusal": refusal,
    }
    return page_of(request, "customer_order", "customer/order.jinja", told, _status(refusal))


def _reasons(kind: ReasonKind) -> list[Reason]:
    return list(Reason.objects.filter(kind=kind, active=True))


@by_link
@either
def conversation(request: CustomerRequest) -> HttpResponse:
    """What was said between the customer, the shop and the operator, and writing to the shop (MSG-01)."""
    order, at = request.order, timezone.now()
    posted = request.method == "POST"
    often = posted and own.too_many_messages(order, at=at)
    form = MessageForm(
        request.POST if posted else None,
        request.FILES if posted and not often else None,  # who sends too often has no file looked into
        reasons=_reasons(ReasonKind.CONTACT),
        rules=order.policy.rules,
    )
    if not posted:
        return _talks(request, form)
    if often:
        return _talks(request, form, Refusal(order.id, Code.TOO_OFTEN))
    if not form.is_valid():
        return _talks(request, form, status=422)
    given = form.cleaned_data
    try:
        own.say(
            order,
            Words(given["text"], files=given["files"]),
            thread_id=given["thread"],
            reason_code=given["reason"],
            by=request.actor,
            at=at,
        )
    except MoveRefused as refused:
        return _talks(request, form, refused.refusal)
    ring("notices")
    return finished(request, "customer_messages", "escrito")


def _form_at(form: MessageForm, sent_at: str | None, place: str) -> MessageForm:
    """The form of one conversation of the page, or of a new one: as it was sent if it was sent there."""
    if place != sent_at:
        form = MessageForm(reasons=form.reasons, rules=form.rules)
    form.auto_id = f"id_{place or 'new'}_%s"
    return form


def _talks(
    request: CustomerRequest, form: MessageForm, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    asked = request.GET.get("antes", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    now = timezone.now()
    talks, older = conversation_of(request.order, now, before=before)
    if request.method == "GET":
        conversing.read([talk.thread.id for talk in talks], by=request.actor, at=now)
    places = {str(talk.thread.id) for talk in talks}
    sent_at = form.data.get("thread", "") if form.is_bound else None
    if sent_at is not None and sent_at not in places:
        sent_at = ""  # its conversation is a page further on, or is not theirs: what was typed is not lost
    told = {
        "files": attachments.of(one.message for talk in talks for one in talk.said),
        "sent_at": sent_at,
        "talks": talks,
        "older": request.way.to("customer_messages", antes=str(older)) if older else "",
        "newer": request.way.to("customer_messages") if before else "",
        "form": form,
        "form_at": partial(_form_at, form, sent_at),
        "refusal": refusal,
    }
    shown = _status(refusal) if refusal else status
    return page_of(request, "customer_messages", "customer/messages.jinja", told, shown)


@by_link
@either
def received(request: CustomerRequest) -> HttpResponse:
    """Say that it has arrived (SHP-06)."""
    order, at = request.order, timezone.now()
    if order.delivered_at is not None:
        return finished(request, "customer_order", "recibido")
    if request.method != "POST":
        code = services.judge(order, Verb.DELIVER, by=request.actor, at=at)
        if code is not None:
            return order_with(request, Refusal(order.id, code))
        return page_of(request, "customer_received", "customer/received.jinja", {})
    try:
        services.one(services.deliver([order.id], by=request.actor, at=at))
    except MoveRefused as refused:
        order = look_again(request)
        if order.delivered_at is None:
            return order_with(request, refused.refusal)
    ring("notices")
    return finished(request, "customer_order", "recibido")


@by_link
@either
def cancel(request: CustomerRequest) -> HttpResponse:
    """Cancel the order, as long as its customer may (CAN-02)."""
    order, at = request.order, timezone.now()
    if order.state == State.CANCELLED:
        return finished(request, "customer_order", "cancelado")
    code = services.judge(order, Verb.CANCEL, by=request.actor, at=at)
    asks = code is not None and services.asked_of(order, Verb.CANCEL, by=request.actor, at=at) is not None
    if code is not None and not asks:
        return order_with(request, Refusal(order.id, code))
    form = CancelForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        told = {"form": form, "asks": asks}
        return page_of(request, "customer_cancel", "customer/cancel.jinja", told, status)
    why = Why("customer-asks", form.cleaned_data["why"])
    try:
        if asks:
            services.one(services.ask(order.id, Verb.CANCEL, reason=why, by=request.actor, at=at))
        else:
            services.one(services.cancel([order.id], reason=why, by=request.actor, at=at))
    except MoveRefused as refused:
        if look_again(request).state == State.CANCELLED:  # the other of two clicks was faster
            return finished(request, "customer_order", "cancelado")
        if refused.refusal.code != Code.DUPLICATE:
            return order_with(request, refused.refusal)
    ring("payback", "notices")
    return finished(request, "customer_order", "pedida" if asks else "cancelado")


def _claim_form(request: CustomerRequest, *, with_files: bool) -> ClaimForm:
    posted, order = request.method == "POST", request.order
    return ClaimForm(
        request.POST if posted else None,
        request.FILES if posted and with_files else None,
        lines=[line for line in order.lines.all() if line.decision == Decision.ACCEPTED],
        reasons=_reasons(ReasonKind.INCIDENT),
        rules=order.policy.rules,
    )


@by_link
@either
def claim(request: CustomerRequest) -> HttpResponse:
    """Open an incident on lines of the order, with photos (INC-01)."""
    order, at = request.order, timezone.now()
    free = free_lines(list(order.lines.all()), claims_of(order))
    code = judge_opening(order, by=request.actor, at=at)
    if code is None and not free and request.method != "POST":
        code = Code.INCIDENT_STANDS
    if code is not None:
        return order_with(request, Refusal(order.id, code))
    often = request.method == "POST" and own.too_many_claims(order, at=at)
    form = _claim_form(request, with_files=not often)
    told: dict[str, Any] = {"form": form, "free": free}
    if often:
        told["refusal"] = Refusal(order.id, Code.TOO_OFTEN)
        return page_of(request, "customer_claim", "customer/claim.jinja", told, 429)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return page_of(request, "customer_claim", "customer/claim.jinja", told, status)
    given = form.cleaned_data
    try:
        own.claim(
            order,
            form.chosen,
            reason=given["reason"],
            text=given["text"],
            files=given["files"],
            by=request.actor,
            at=at,
        )
    except MoveRefused as refused:
        if not free:
            return order_with(request, refused.refusal)
        told["refusal"] = refused.refusal
        return page_of(request, "customer_claim", "customer/claim.jinja", told, _status(refused.refusal))
    ring("notices")
    return finished(request, "customer_order", "incidencia")


@by_link
@either
def give_back(request: CustomerRequest) -> HttpResponse:
    """Ask to return articles (REF-09)."""
    order, at, lines = request.order, timezone.now(), list(request.order.lines.all())
    left = returns.left_of(lines, returns.requests_of(order), goods_back(order))
    sent = request.POST if request.method == "POST" else None
    form = ReturnForm(sent, left=returns.left_of(lines, (), {}), reasons=_reasons(ReasonKind.RETURN))
    code = returns.judge_return(order, by=request.actor, at=at)
    if code is None and not left and sent is None:
        code = Code.TOO_MANY_BACK
    if code is not None:
        return order_with(request, Refusal(order.id, code))
    until = returns.return_by(order) or at
    told = {
        "form": form,
        "left": left,
        "until": when(until, order.channel.calendar.zone, at, since=True, ends=True),
    }
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return page_of(request, "customer_return", "customer/return.jinja", told, status)
    given = form.cleaned_data
    try:
        returns.ask_return(
            order.id, form.units, reason=given["reason"], text=given["text"], by=request.actor, at=at
        )
    except MoveRefused as refused:
        if not left:
            return order_with(request, refused.refusal)
        told["refusal"] = refused.refusal
        return page_of(request, "customer_return", "customer/return.jinja", told, _status(refused.refusal))
    ring("notices")
    return finished(request, "customer_order", "devolucion")


@by_link
@require_safe
def delivery_note(request: CustomerRequest) -> HttpResponse:
    """The delivery note as PDF; that it was handed out is written down (DOC-01, DOC-04)."""
    order, at = request.order, timezone.now()
    code = own.may_have_paper(order, at=at)
    if code is not None:
        return order_with(request, Refusal(order.id, code))
    try:
        paper = documents.delivery_note(order, at=at)
    except MoveRefused as refused:
        return order_with(request, refused.refusal)
    except PdfUnavailable:
        return page_of(request, "customer_order", "customer/no_paper.jinja", {}, 503)
    documents.hand_out(order, DocumentKind.DELIVERY_NOTE, by=request.actor, at=at)
    answer = HttpResponse(paper.pdf, content_type="application/pdf")
    answer["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=paper.name) or "attachment"
    )
    return answer


@by_link
@require_safe
def file(request: CustomerRequest, number: int) -> HttpResponseBase:
    """A file of a message that the customer reads; `?vista` is its small picture (MSG-13, DOC-04)."""
    messages = readable(request.order, timezone.now())
    try:
        return handed_out(request, messages, number, by=request.actor)
    except Http404:
        return no_page(request)


@by_old_link
@either
def new_link(request: CustomerRequest) -> HttpResponse:
    """Have a new link mailed to the address of the order; the answer is the same whether or not one is."""
    if request.method != "POST":
        return HttpResponseRedirect(request.way.to("customer_order"))
    if mail_new_link(request.order.id, at=timezone.now()):
        ring("notices")
    return page(request, "customer/mailed.jinja", {})

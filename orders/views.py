"""What a shop does to an order. Each view: one form, one service, then back to the order's page.

Refused by a rule: 409 and the page as it stands now, with the reason.
Not understood: 422 and the form as it was sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.bell import ring
from marketplace.models import Carrier, Reason, ReasonKind
from marketplace.money import format_money
from marketplace.pdf import TO_INSTALL, PdfUnavailable
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders import documents, services
from orders.again import SeeOther, order_again
from orders.forms import (
    AnswerForm,
    AssignForm,
    Attempt,
    CarrierRequestForm,
    ConfirmForm,
    HoldForm,
    ParcelForm,
    ReasonForm,
    ReleaseForm,
    ShortForm,
)
from orders.models import DocumentKind, Order
from orders.queries import get_order, lines_of, may_reach
from orders.signals import Moved
from orders.states import TABLE, Decision
from sellers.access import DeskRequest, at_the_desk, suppliers_too, visiting
from sellers.desk import Right, who_has
from sellers.queries import suppliers

type Act = Callable[[DeskRequest, Order], HttpResponse]


def _act(view: Act) -> Callable[..., HttpResponseBase]:
    """An act on an order of one's own shop, posted by someone who works orders there (ROL-01, ROL-05); which acts are
    a supplier's, the service knows (ROL-04).

    Whoever visits its address is on the way to the order: a language changed, a sign-in in between.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    @at_the_desk
    @suppliers_too
    @wraps(view)
    def entered(request: DeskRequest, reference: str) -> HttpResponse:
        order = get_order(request.membership, reference)
        address = reverse("order", args=[order.reference])
        if request.method != "POST":
            return HttpResponseRedirect(address)
        if not request.actor.may(Right.WORK_ORDERS):
            told = {"order": order, "who": who_has(Right.WORK_ORDERS)}
            return render(visiting(request, address), "orders/no_right.jinja", told, status=403)
        return view(request, order)

    return entered


def _try(
    request: DeskRequest,
    order: Order,
    attempt: Attempt,
    move: Callable[[], Outcome[Moved]],
    *,
    said: str | Callable[[Moved], str],
    bells: Sequence[str] = ("notices",),
) -> HttpResponse:
    """Check the form, make the move, and go where its outcome leads."""
    if not attempt.form.is_valid():
        code = _stands_in_the_way(request, order, attempt.act)
        if code is not None:
            return order_again(request, order, replace(attempt, refusal=Refusal(order.id, code)), 409)
        return order_again(request, order, attempt, 422)
    try:
        moved = services.one(move())
    except MoveRefused as refused:
        return order_again(request, order, replace(attempt, refusal=refused.refusal), 409)
    ring(*bells)
    messages.success(request, said if isinstance(said, str) else said(moved))
    return SeeOther(reverse("order", args=[order.reference]))


def _stands_in_the_way(request: DeskRequest, order: Order, act: str) -> Code | None:
    """The rule that forbids the act anyway: nobody should mend a form for nothing."""
    if act not in {verb for verb, _source in TABLE}:
        return None
    return services.judge(order, act, by=request.actor, at=timezone.now())


def _reasons(kind: ReasonKind) -> list[Reason]:
    return list(Reason.objects.filter(kind=kind, active=True))


@_act
def order_accept(request: DeskRequest, order: Order) -> HttpResponse:
    """Accept an order, whole or line by line; refusing every line refuses the order (ORD-05)."""
    form = AnswerForm(
        request.POST, lines=lines_of(order, request.membership), reasons=_reasons(ReasonKind.REFUSE)
    )
    by, at = request.actor, timezone.now()
    if form.is_valid() and form.refuses_all:
        return _try(
            request,
            order,
            Attempt("accept", form),
            lambda: services.refuse([order.id], reason=form.refused, by=by, at=at),
            said=_("Pedido rechazado. No se cobra nada."),
        )
    return _try(
        request,
        order,
        Attempt("accept", form),
        lambda: services.accept({order.id: form.answer}, by=by, at=at),
        said=_accepted,
        bells=("charge", "notices"),
    )


def _accepted(moved: Moved) -> str:
    left = moved.total_cents - moved.commission_cents - moved.commission_vat_cents
    words = {"amount": format_money(left, moved.currency)}
    if moved.cash_on_delivery:
        said = _("Pedido aceptado: recibirás %(amount)s. Lo cobra el mensajero al entregarlo.")
    elif moved.held:
        said = _(
            "Pedido aceptado: recibirás %(amount)s. Está en espera: se cobrará al cliente cuando salga de ella."
        )
    else:
        said = _("Pedido aceptado: recibirás %(amount)s. Ahora se cobra al cliente.")
    return said % words


@_act
def order_refuse(request: DeskRequest, order: Order) -> HttpResponse:
    """Refuse a whole order for a reason (ORD-05)."""
    form = ReasonForm(request.POST, reasons=_reasons(ReasonKind.REFUSE))
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("refuse", form),
        lambda: services.refuse([order.id], reason=form.why, by=by, at=at),
        said=_("Pedido rechazado. No se cobra nada."),
    )


@_act
def order_ship(request: DeskRequest, order: Order) -> HttpResponse:
    """Hand a parcel over (SHP-01, SHP-03)."""
    form = ParcelForm(
        request.POST,
        lines=[line for line in lines_of(order, request.membership) if line.decision == Decision.ACCEPTED],
        carriers=list(Carrier.objects.filter(active=True)),
        free_text=order.policy.rules.free_text_carrier,
    )
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("ship", form),
        lambda: services.ship({order.id: form.parcel}, by=by, at=at),
        said=_("Bulto enviado. El cliente recibe el seguimiento."),
    )


@_act
def order_fulfil(request: DeskRequest, order: Order) -> HttpResponse:
    """Confirm to the customer what does not travel (ORD-13)."""
    mine = lines_of(order, request.membership)
    lines = [line for line in mine if not line.travels and line.decision == Decision.ACCEPTED]
    form = ConfirmForm(request.POST, lines=lines)
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("fulfil", form),
        lambda: services.fulfil({order.id: form.accesses}, by=by, at=at),
        said=_("Confirmado. Al cliente le llega por correo."),
    )


@_act
def order_ask_carrier(request: DeskRequest, order: Order) -> HttpResponse:
    """Ask the operators for a carrier that is not in the list (SHP-04)."""
    form = CarrierRequestForm(request.POST)
    attempt = Attempt("ask_carrier", form)
    if not form.is_valid():
        return order_again(request, order, attempt, 422)
    name, website = form.cleaned_data["name"], form.cleaned_data["website"]
    try:
        services.ask_for_carrier(
            request.shop,
            name,
            website,
            order_reference=order.reference,
            by=request.actor,
            at=timezone.now(),
        )
    except MoveRefused as refused:
        return order_again(request, order, replace(attempt, refusal=refused.refusal), 409)
    ring("notices")
    messages.success(request, _("Pedido al operador: te escribirá cuando responda."))
    return SeeOther(reverse("order", args=[order.reference], query={"tab": "envio"}))


def _press(
    request: DeskRequest,
    order: Order,
    act: str,
    move: Callable[..., Outcome[Moved]],
    *,
    said: str,
    bells: Sequence[str] = ("notices",),
) -> HttpResponse:
    """An act that asks for nothing but its button."""
    by, at = request.actor, timezone.now()
    attempt = Attempt(act, forms.Form(request.POST))
    return _try(request, order, attempt, lambda: move([order.id], by=by, at=at), said=said, bells=bells)


@_act
def order_ready(request: DeskRequest, order: Order) -> HttpResponse:
    """Say that the parcels wait for the carrier."""
    return _press(request, order, "ready", services.ready, said=_("Listo para recoger."))


@_act
def order_cancel(request: DeskRequest, order: Order) -> HttpResponse:
    """Cancel an order for a reason; what was charged goes back (CAN-02)."""
    form = ReasonForm(request.POST, reasons=_reasons(ReasonKind.CANCEL))
    by, at = request.actor, timezone.now()
    said = _("Pedido cancelado.")
    if order.charged_cents:
        said = _("Pedido cancelado. Lo cobrado se devuelve al cliente.")
    return _try(
        request,
        order,
        Attempt("cancel", form),
        lambda: services.cancel([order.id], reason=form.why, by=by, at=at),
        said=said,
        bells=("payback", "notices"),
    )


@_act
def order_hold(request: DeskRequest, order: Order) -> HttpResponse:
    """Put an order in wait (ORD-06)."""
    by, at = request.actor, timezone.now()
    form = HoldForm(request.POST, reasons=_reasons(ReasonKind.HOLD), calendar=order.channel.calendar, at=at)
    return _try(
        request,
        order,
        Attempt("hold", form),
        lambda: services.hold([order.id], form.hold, note=form.why, until=form.until_at, by=by, at=at),
        said=_("Pedido en espera."),
    )


@_act
def order_shorten(request: DeskRequest, order: Order) -> HttpResponse:
    """Say how many units there are of what is to be shipped; the rest is refused (ORD-06)."""
    form = ShortForm(
        request.POST, lines=[line for line in lines_of(order, request.membership) if line.to_ship]
    )
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("shorten", form),
        lambda: services.shorten({order.id: form.there_are}, by=by, at=at),
        said=_shortened,
        bells=("payback", "notices"),
    )


def _shortened(moved: Moved) -> str:
    back = moved.data["refunded_cents"]
    if not back:
        return _("Lo que falta se ha quitado del pedido.")
    words = {"amount": format_money(back, moved.currency)}
    return _("Lo que falta se ha quitado del pedido: se devuelven %(amount)s al cliente.") % words


@_act
def order_release(request: DeskRequest, order: Order) -> HttpResponse:
    """Let an order go on where it was (ORD-06)."""
    form = ReleaseForm(request.POST)
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("release", form),
        lambda: services.release([order.id], form.hold, by=by, at=at),
        said=_("La espera se ha quitado."),
        bells=("charge", "notices"),
    )


@_act
def order_assign(request: DeskRequest, order: Order) -> HttpResponse:
    """Say who fulfils the lines of an order: a supplier of the shop, or the shop itself (ROL-04)."""
    form = AssignForm(
        request.POST, lines=lines_of(order, request.membership), suppliers=suppliers(request.shop)
    )
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("assign", form),
        lambda: services.assign({order.id: form.wanted}, by=by, at=at),
        said=_("Anotado quién lo sirve."),
    )


@_act
def order_revoke_links(request: DeskRequest, order: Order) -> HttpResponse:
    """Make void the links that the customer has had to the page of their order (ROL-03)."""
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("links_revoked", forms.Form(request.POST)),
        lambda: services.revoke_links([order.id], by=by, at=at),
        said=_("Enlaces anulados. El próximo correo al cliente lleva uno nuevo."),
    )


@require_safe
@at_the_desk
@suppliers_too
def delivery_note(request: DeskRequest, reference: str) -> HttpResponse:
    """The delivery note as PDF; every member may have it, a supplier that of their own lines, and it is written down
    (DOC-01, DOC-04, ROL-04)."""
    member = request.membership
    order, at = get_order(member, reference), timezone.now()
    own = None if member.supplier_id is None else lines_of(order, member)
    try:
        if own is not None and not may_reach(order, own):
            raise MoveRefused(Refusal(order.id, Code.WRONG_STATE))
        own = None if member.supplier_id == order.supplier_id else own
        paper = documents.delivery_note(order, lines=own, at=at)
    except MoveRefused as refused:
        return order_again(request, order, Attempt("delivery_note", forms.Form(), refused.refusal), 409)
    except PdfUnavailable:
        return render(request, "orders/no_pdf.jinja", {"order": order, "line": TO_INSTALL}, status=503)
    documents.hand_out(order, DocumentKind.DELIVERY_NOTE, by=request.actor, at=at)
    answer = HttpResponse(paper.pdf, content_type="application/pdf")
    shown = content_disposition_header(as_attachment=False, filename=paper.name)
    answer["Content-Disposition"] = shown or "inline"
    answer["Cache-Control"] = "private, no-store"
    return answer

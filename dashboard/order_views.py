"""The order page: one address with its tabs, each a link of its own; an act that failed is shown here too."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dashboard import order_queries as queries
from dashboard.frame_counts import waiting_of
from dashboard.incidents import order_incidents
from dashboard.order_acts import PANELS, acts_of, lateness, order_url
from dashboard.order_clocks import OF_SUPPLIERS, running
from dashboard.order_history import Own, bounce_words, history
from dashboard.order_messages import messages_part
from dashboard.order_money import debit_of, money_of, not_there
from dashboard.order_papers import documents_part, invoice_wish
from dashboard.order_requests import asking, requests_of, shown
from dashboard.return_queries import of_order
from dashboard.returns import shown as shown_returns
from marketplace.models import ReasonKind
from messaging.noting import may_note, notes_of
from orders import services, telling
from orders.documents import has_delivery_note
from orders.exception_forms import RetryForm
from orders.forms import (
    AnswerForm,
    AssignForm,
    Attempt,
    CarrierRequestForm,
    ConfirmForm,
    HoldForm,
    ParcelForm,
    ReasonForm,
    ShortForm,
)
from orders.models import Hold, Line, Order
from orders.queries import get_order, lines_of, may_reach
from orders.states import PAID, SELLER_HOLDS, Decision, HoldKind, State, Verb
from sellers.access import DeskRequest, at_the_desk, suppliers_too
from sellers.desk import Right
from sellers.queries import suppliers

TABS = {
    "detalles": _("Detalles"),
    "envio": _("Envío"),
    "mensajes": _("Mensajes"),
    "historial": _("Historial"),
    "documentos": _("Documentos"),
}
UNDONE = (State.REFUSED, State.CANCELLED, State.FAILED)
"""Ended without a delivery: no deadline is left to keep."""

TAB_OF_ACT = {
    "ship": "envio",
    "ask_carrier": "envio",
    "delivery_note": "documentos",
    Verb.INVOICE_GIVEN: "documentos",
} | dict.fromkeys(("start", "reply", "take_back", "needless", "send_on"), "mensajes")
ANSWERS_SHOWN = timedelta(days=14)
"""For how long what became of a carrier that was asked for is told beside the form (SHP-04)."""

WORDS = {word: verb for verb, word in PANELS.items()}
REASONS = {Verb.REFUSE: ReasonKind.REFUSE, Verb.CANCEL: ReasonKind.CANCEL}

type Told = dict[str, Any]


@require_safe
@at_the_desk
@suppliers_too
def order_page(request: DeskRequest, reference: str) -> HttpResponse:
    """An order of one's own shop, on one of its tabs; after a failed act, with the attempt. A supplier sees of it what
    concerns their lines, and no money (ROL-04)."""
    member = request.membership
    attempt: Attempt | None = getattr(request, "attempt", None)
    order, now = get_order(member, reference), timezone.now()
    asked = request.GET.get("tab", "")
    tab = TAB_OF_ACT.get(attempt.act, "detalles") if attempt else asked if asked in TABS else "detalles"
    holds, lines = queries.open_holds(order), lines_of(order, member)
    asked_for = requests_of(order, member, now)
    acts = acts_of(
        order, holds, lines, asked_for, has_suppliers=request.has_suppliers, by=request.actor, at=now
    )
    back = queries.given_back(order) if member.supplier is None else queries.GivenBack()
    reaches = member.supplier is None or may_reach(order, lines)
    clocks = running(order, holds, now)
    parcels = queries.parcels(order, lines) if member.supplier or tab == "envio" else []
    told: Told = {
        "order": order,
        "now": now,
        "zone": order.channel.calendar.zone,
        "tab": tab,
        "tabs": _tabs(order, tab, len(parcels) if member.supplier else order.parcels),
        "supplier": member.supplier,
        "acts": acts,
        "requests": shown(asked_for, order, attempt, by=request.actor, at=now),
        "asking_act": asking(acts, request.GET, attempt),
        "holds": holds,
        "lines": lines,
        "running": [one for one in clocks if not member.supplier or one.code in OF_SUPPLIERS],
        "parcels": parcels,
        "late": lateness(order, now),
        "back": back,
        "refunded": order.charged_cents > 0
        and not member.supplier
        and back.done_cents == order.charged_cents,
        "attempt": attempt,
        "waiting": waiting_of(member),
        "may_note": has_delivery_note(order) and reaches,
        "reaches": reaches,
        "invoice": invoice_wish(order, member),
        "unclear": "" if attempt or not asked or asked in TABS else _unclear(asked),
    }
    told |= order_incidents(request, order, told)
    told |= _panel(request, order, told)
    told |= _PARTS[tab](request, order, told)
    page = render(request, f"orders/{tab}.jinja", told)
    patch_vary_headers(page, ["HX-Request"])
    return page


def _unclear(tab: str) -> str:
    shown = tab if len(tab) <= 40 else tab[:39] + "…"
    return gettext("%(name)s: no se entiende “%(value)s”") % {
        "name": gettext("Parte del pedido"),
        "value": shown,
    }


def _tabs(order: Order, current: str, parcels: int) -> list[Told]:
    return [
        {
            "text": str(text),
            "href": order_url(order) if code == "detalles" else order_url(order, tab=code),
            "current": code == current,
            "count": parcels if code == "envio" and parcels else None,
        }
        for code, text in TABS.items()
    ]


def _panel(request: DeskRequest, order: Order, told: Told) -> Told:
    """The act that was opened and asks something first, with its form as it was sent, if it was."""
    attempt: Attempt | None = told["attempt"]
    verb = str(attempt.act if attempt else WORDS.get(request.GET.get("acto", ""), ""))
    if verb not in PANELS or not told["acts"].may(verb):
        return {"panel": None}
    sent = attempt.form if attempt else None
    if verb == Verb.HOLD:
        standing = {hold.kind for hold in told["holds"]}
        return {
            "panel": verb,
            "form": sent
            or HoldForm(
                reasons=queries.reasons(ReasonKind.HOLD), calendar=order.channel.calendar, at=told["now"]
            ),
            "kinds": [(kind.value, str(kind.label)) for kind in HoldKind if kind in SELLER_HOLDS - standing],
        }
    if verb == Verb.ASSIGN:
        theirs_to_say = [line for line in told["lines"] if not services.is_theirs(order, line)]
        return {
            "panel": verb,
            "form": sent or AssignForm(lines=theirs_to_say, suppliers=suppliers(request.shop)),
        }
    if verb == Verb.RETRY:
        return {"panel": verb, "form": sent or RetryForm(order=order)}
    if verb == Verb.SHORTEN:
        left = [line for line in told["lines"] if line.to_ship]
        return {"panel": verb, "form": sent or ShortForm(lines=left), "left": left}
    return {"panel": verb, "form": sent or ReasonForm(reasons=queries.reasons(REASONS[Verb(verb)]))}


def _details(request: DeskRequest, order: Order, told: Told) -> Told:
    attempt, acts = told["attempt"], told["acts"]
    answer, refused, gone = None, [], []
    if acts.may(Verb.ACCEPT):
        sent = attempt.form if attempt and attempt.act == Verb.ACCEPT else None
        given = sent.data if sent else request.GET
        refused = _refused(told["lines"], given)
        gone = [*refused, *not_there(told["lines"], given)]
        answer = sent or AnswerForm(lines=told["lines"], reasons=queries.reasons(ReasonKind.REFUSE))
    charge = (
        queries.last_charge(order)
        if order.state in (State.DEBIT, State.FAILED) and not told["supplier"]
        else None
    )
    waits = [line for line in told["lines"] if line.to_confirm and not line.instant]
    confirm = None
    if acts.may(Verb.FULFIL):
        confirm = attempt.form if attempt and attempt.act == Verb.FULFIL else ConfirmForm(lines=waits)
    money = money_of(order, told["lines"], told["back"], told["now"], gone) if not told["supplier"] else None
    if money and told["money_waits"]:
        money = replace(money, says=told["money_waits"])
    elif money and order.incident_at:
        money = replace(money, says=gettext("Este pedido no se cobra hasta que termine la devolución."))
    arrived = order.delivered_at is not None or order.received_at is not None
    return {
        "returns": shown_returns(of_order(request.membership, order), by=request.actor, at=told["now"])
        if arrived
        else [],
        "confirm": confirm,
        "to_confirm": waits,
        "paid": order.state in PAID,
        "answer": answer,
        "refused": refused,
        "money": money,
        "debit": None if told["supplier"] else debit_of(order, charge),
        "failed": queries.failed_delivery(order),
        "failed_why": telling.failed,
        "refusal": telling.refusal,
        "bounce": "" if told["supplier"] else bounce_words(order),
        "explanation": partial(telling.explanation, currency=order.currency),
        "manager": request.shop.account_manager,
        "notes": notes_of(order, request.actor.role),
        "may_note_down": may_note(request.actor),
        "may_release": {hold.kind for hold in told["holds"] if _may_release(hold, request)},
    }


def _refused(lines: list[Line], given: Mapping[str, Any]) -> list[Line]:
    """The lines that an answer, sent or only thought of in an address, refuses."""
    return [line for line in lines if given.get(f"answer_{line.id}") == "refuse"]


def _may_release(hold: Hold, request: DeskRequest) -> bool:
    own = request.membership.supplier_id is None
    return own and hold.kind in SELLER_HOLDS and request.actor.may(Right.WORK_ORDERS)


def _shipping(request: DeskRequest, order: Order, told: Told) -> Told:
    attempt, lines = told["attempt"], told["lines"]
    left = [line for line in lines if line.to_ship]
    form = None
    if told["acts"].may(Verb.SHIP) and left:
        form = attempt.form if attempt and attempt.act == Verb.SHIP else None
        form = form or ParcelForm(
            lines=left, carriers=queries.carriers(), free_text=order.policy.rules.free_text_carrier
        )
    return {
        "ship": form,
        "asked": queries.carriers_asked(request.shop, told["now"] - ANSWERS_SHOWN)
        if form and not told["supplier"]
        else [],
        "asking": attempt.form if attempt and attempt.act == "ask_carrier" else CarrierRequestForm(),
        "left": left,
        "units_left": _units(left),
        "undone": order.state in UNDONE,
    }


def _units(lines: list[Line]) -> int:
    return sum(line.to_ship for line in lines if line.decision == Decision.ACCEPTED)


def _history(request: DeskRequest, order: Order, told: Told) -> Told:
    asked = request.GET.get("antes", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    supplier = told["supplier"]
    parcels = {parcel.shipment.number for parcel in told["parcels"]}
    events, older = queries.events(
        order, before, queries.of_supplier(supplier, parcels) if supplier else None
    )
    own = Own(supplier.id, parcels, {line.external_id for line in told["lines"]}) if supplier else None
    return {
        "events": history(order, events, told["now"], own),
        "newest": order_url(order, tab="historial") if before else "",
        "older": order_url(order, tab="historial", antes=str(older)) if older else "",
    }


_PARTS: dict[str, Callable[[DeskRequest, Order, Told], Told]] = {
    "detalles": _details,
    "envio": _shipping,
    "mensajes": messages_part,
    "historial": _history,
    "documentos": documents_part,
}

"""The papers of an order: the delivery note (*albarán*), and who was handed one (DOC-01, DOC-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.moments import day_words
from marketplace.money import format_money
from marketplace.pdf import code128, render_pdf
from marketplace.refusals import Code, MoveRefused, Refusal
from orders.models import DocumentKind, Download, Line, Order
from orders.states import Decision, State
from sellers.desk import Actor

NO_NOTE = frozenset({State.PENDING_PAYMENT, State.REFUSED, State.CANCELLED, State.FAILED})
"""Nothing is delivered of these, or not before it is paid: nothing can accompany it."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A finished document: its file name and its bytes."""

    name: str
    pdf: bytes


def has_delivery_note(order: Order) -> bool:
    """Say whether the order, as it stands, has a delivery note."""
    return order.ships and order.state not in NO_NOTE


def delivery_note(order: Order, *, lines: Sequence[Line] | None = None, at: datetime) -> Paper:
    """Draw up the delivery note, in the customer's language, of what travels and was accepted; until then, of all that
    travels.

    `lines` are those that it is about where it is of a part of the order; what the courier collects stands on a note of
    the whole only (ROL-04).

    Raises MoveRefused (`wrong_state`, `nothing_to_ship`) where nothing is delivered, and PdfUnavailable.
    """
    if not has_delivery_note(order):
        raise MoveRefused(Refusal(order.id, Code.WRONG_STATE if order.ships else Code.NOTHING_TO_SHIP))
    pending = order.state == State.PENDING_ACCEPTANCE
    told = [
        line
        for line in (order.lines.all() if lines is None else lines)
        if line.travels and (pending or line.decision == Decision.ACCEPTED)
    ]
    words = _told(order, told, pending=pending, at=at)
    if lines is not None:
        words["to_collect"] = ""
    pdf = render_pdf("pdf/delivery_note.jinja", words, order.customer_language)
    return Paper(f"{order.reference}.pdf", pdf)


def _told(order: Order, lines: list[Line], *, pending: bool, at: datetime) -> dict[str, Any]:
    bars = code128(order.reference)
    zone = order.channel.calendar.zone
    return {
        "order": order,
        "shop": order.shop,
        "lines": lines,
        "units": sum(line.quantity for line in lines),
        "pending": pending,
        "to_collect": _to_collect(order),
        "placed_on": lambda: day_words(order.placed_at.astimezone(zone).date(), year=True),
        "drawn_up_on": lambda: day_words(at.astimezone(zone).date(), year=True),
        "bars": bars,
        "modules": sum(bars[-1]) if bars else 0,
    }


def _to_collect(order: Order) -> str:
    """What the courier is to be paid at the door (PAY-06); nothing once it has been paid."""
    if not order.cash_on_delivery or order.charged_cents:
        return ""
    return format_money(order.total_cents, order.currency)


def hand_out(order: Order, document: DocumentKind, *, by: Actor, at: datetime) -> Download:
    """Write down that somebody was given a paper of the order (DOC-04)."""
    return Download.objects.create(
        shop_id=order.shop_id,
        order=order,
        document=document,
        at=at,
        role=by.role,
        by=by.label,
        user_id=by.user_id,
    )

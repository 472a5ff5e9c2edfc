"""What was asked for of an order that has moved on: nobody can grant it any more (ROL-05)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.reasons import Why
from orders.models import Asking, Order, Request
from orders.signals import Asked, requests_answered
from sellers.desk import PLATFORM


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A request whose order has moved on, and what the history tells of it."""

    order: Order
    request: Request

    @property
    def told(self) -> Mapping[str, Any]:
        return request_words(self.request)


def request_words(request: Request) -> dict[str, Any]:
    """What the history tells of a request: which act was asked for, and why."""
    told: dict[str, Any] = {"request": request.pk, "asked": str(request.verb)}
    if request.facts:
        told |= request.facts
    if request.reason_code or request.note:
        told["reason"] = Why(request.reason_code, request.note).kept
    return told


def overtake(orders: Sequence[Order]) -> list[Overtaken]:
    """Close what was asked for of locked orders that have left their state."""
    by_id = {order.id: order for order in orders}
    found = Request.objects.filter(order_id__in=list(by_id), state=Asking.OPEN).order_by("order_id", "id")
    overtaken = [Overtaken(by_id[request.order_id], request) for request in found]
    for one in overtaken:
        one.request.state, one.request.answered_at = Asking.OVERTAKEN, one.order.moved_at
    Request.objects.bulk_update([one.request for one in overtaken], ["state", "answered_at"])
    for order in orders:
        order.open_requests = 0
    return overtaken


def tell_overtaken(overtaken: Sequence[Overtaken], *, at: datetime) -> None:
    """Tell those who asked that there is nothing left to grant."""
    if overtaken:
        told = [news_of(one.request) for one in overtaken]
        requests_answered.send(sender=Request, told=told, by=PLATFORM, at=at)


def news_of(request: Request) -> Asked:
    """A request as its news tell it."""
    return Asked(
        request.pk,
        request.order_id,
        request.shop_id,
        str(request.verb),
        str(request.state),
        str(request.asked_of),
        str(request.asked_role),
        dict(request.facts),
        Why(request.reason_code, request.note).kept if request.reason_code or request.note else "",
        request.answer,
    )

"""Asking for a return: what of an order can be given back, until when, and that it is asked for (REF-09).

The answer is the shop's, within the policy's time; no money is held or goes back by the asking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch, Sum

from marketplace import clocks, queries
from marketplace.models import ReasonKind
from marketplace.policy import Role
from marketplace.reasons import Why, said
from marketplace.refusals import Code, MoveRefused, Refusal
from orders import services
from orders.models import Line, Order
from orders.states import PAST_RECEIPT, Decision, State
from refunds.models import ReturnLine, ReturnRequest
from refunds.queries import goods_back
from refunds.returning import due
from refunds.states import LET_GO, ReturnState
from sellers.desk import Actor

LONGEST = 2000
"""Characters of what a customer says of a return."""

AGAIN = timedelta(minutes=10)
"""The same asked within this time is the same click."""

DAY = timedelta(days=1)
MOST_A_DAY = 10
"""So many returns a day a customer may ask for of an order."""

_ARRIVED = (State.DELIVERED, *PAST_RECEIPT)


@dataclass(frozen=True, slots=True)
class Left:
    """A line that can be given back, and how many units of it."""

    line: Line
    units: int


def return_by(order: Order) -> datetime | None:
    """Until when a return can be asked for: the policy's time after delivery, or after receipt where nobody reported
    one. None before."""
    arrived = order.delivered_at or order.received_at
    if arrived is None or order.state not in _ARRIVED:
        return None
    span = services.rules(order).return_within.span
    return clocks.deadline(arrived, span, queries.channel(order.channel_id).calendar)


def judge_return(order: Order, *, by: Actor, at: datetime) -> Code | None:
    """Say why a return cannot be asked for now; None when it can, if anything is left to be given back."""
    if by.role != Role.CUSTOMER:
        return Code.NOT_ALLOWED
    until = return_by(order)
    if until is None:
        return Code.WRONG_STATE
    return Code.DEADLINE_PASSED if at > until else None


def left_of(
    lines: Sequence[Line], requests: Sequence[ReturnRequest], goods_back: Mapping[int, int]
) -> list[Left]:
    """What of these lines the customer has and has not asked back yet; `requests` carry their lines, and `goods_back`
    is what went back of each in cents: for what was paid back whole there is nothing left to be given.

    A unit that was replaced is there anew, and can come back as the first one could.
    """
    away: dict[int, int] = {}
    for request in (one for one in requests if one.state not in LET_GO):
        for one in request.lines.all():
            anew = (one.good or 0) if request.state == ReturnState.REPLACED else 0
            away[one.line_id] = away.get(one.line_id, 0) + one.units - anew
    found = (
        Left(line, line.shipped_quantity - away.get(line.id, 0))
        for line in lines
        if line.decision == Decision.ACCEPTED and not 0 < line.goods_cents <= goods_back.get(line.id, 0)
    )
    return [one for one in found if one.units > 0]


def requests_of(order: Order) -> list[ReturnRequest]:
    """The returns asked for of an order, oldest first, with their lines."""
    lines = ReturnLine.objects.select_related("line")
    rows = order.return_requests.select_related("refund", "new_carrier", "instructions")
    found = list(rows.prefetch_related(Prefetch("lines", lines)))
    for one in found:
        one.order = order
    return found


def reason_words(request: ReturnRequest) -> str:
    """Why the customer wants to give it back."""
    return said(ReasonKind.RETURN, Why(request.reason_code))


@transaction.atomic
def ask_return(
    order_id: int, units: Mapping[int, int], *, reason: str, text: str = "", by: Actor, at: datetime
) -> ReturnRequest:
    """Ask to give units of lines back, for a reason of the list; the shop is told, and answers by a message.

    The same asked twice within minutes is one. Raises MoveRefused: `not_allowed`, `wrong_state`, `deadline_passed`,
    `too_often`, `nothing_chosen`, `unknown_line`, `too_many_back`, `reason_needed`, `too_long`.
    """
    (order,) = services.lock_orders([order_id])
    code = judge_return(order, by=by, at=at)
    if code is not None:
        raise _refuse(order, code)
    text, wanted = text.strip(), {line_id: n for line_id, n in units.items() if n}
    twin = _twin(order, wanted, reason, text, at=at)
    if twin is not None:
        return twin
    before = requests_of(order)
    if sum(one.asked_at > at - DAY for one in before) >= MOST_A_DAY:
        raise _refuse(order, Code.TOO_OFTEN)
    lines = {one.line.id: one for one in left_of(list(order.lines.all()), before, goods_back(order))}
    _check(order, lines, wanted, reason, text)
    request = ReturnRequest.objects.create(
        shop_id=order.shop_id,
        order=order,
        number=max((one.number for one in before), default=0) + 1,
        since=at,
        due_by=due(order, ReturnState.ASKED, at),
        reason_code=reason,
        text=text,
        asked_at=at,
        asked_by=by.label,
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(shop_id=order.shop_id, request=request, line_id=line_id, units=n)
        for line_id, n in sorted(wanted.items())
    )
    told = {
        "return": request.number,
        "due_by": request.due_by.isoformat() if request.due_by else None,
        "wanted": [{"title": lines[line_id].line.title, "units": n} for line_id, n in sorted(wanted.items())],
        "reason": Why(reason).kept,
        "text": text,
    }
    services.one(services.note_return_asked(order.id, told, by=by, at=at))
    return request


def _check(
    order: Order, lines: Mapping[int, Left], wanted: Mapping[int, int], reason: str, text: str
) -> None:
    own = set(order.lines.values_list("id", flat=True))
    if not wanted:
        raise _refuse(order, Code.NOTHING_CHOSEN)
    if set(wanted) - own:
        raise _refuse(order, Code.UNKNOWN_LINE)
    if any(n < 0 or line_id not in lines or n > lines[line_id].units for line_id, n in wanted.items()):
        raise _refuse(order, Code.TOO_MANY_BACK)
    if (str(ReasonKind.RETURN), reason) not in queries.reason_labels():
        raise _refuse(order, Code.REASON_NEEDED)
    if len(text) > LONGEST:
        raise _refuse(order, Code.TOO_LONG)


def _twin(
    order: Order, wanted: Mapping[int, int], reason: str, text: str, *, at: datetime
) -> ReturnRequest | None:
    """The same return, asked for a moment ago."""
    last = order.return_requests.filter(asked_at__gt=at - AGAIN).order_by("-id").first()
    if last is None or last.state != ReturnState.ASKED or (last.reason_code, last.text) != (reason, text):
        return None
    units = dict(last.lines.values_list("line_id").annotate(Sum("units")))
    return last if units == dict(wanted) else None


def _refuse(order: Order, code: Code) -> MoveRefused:
    return MoveRefused(Refusal(order.id, code))

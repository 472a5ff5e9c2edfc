"""Opening an incident on lines of an order: who may, until when, and what it starts (INC-01, SHP-08)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from incidents.models import Incident, IncidentLine
from incidents.services.following import mirror
from incidents.services.verbs import LONGEST_REASON, paragraphs
from incidents.states import State
from marketplace import clocks, queries
from marketplace.files import Checked
from marketplace.lettering import visible
from marketplace.models import ReasonKind
from marketplace.policy import Role
from marketplace.reasons import Reasoned, Why, said, why
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import SHOP, To
from orders.models import Line, Order
from orders.services import Followed, Refuse, follow_incidents, one
from orders.states import PAID, Decision, Verb
from orders.states import State as OrderState
from sellers.desk import Actor

CLAIMABLE = frozenset({*PAID, OrderState.RECEIVED, OrderState.CLOSED})
"""In these states something may have gone wrong with what has left the shop."""


def claim_until(order: Order) -> datetime | None:
    """The last moment at which the customer opens an incident: counted from delivery, where nobody told of one from
    receipt (INC-01). None while neither has been."""
    since = order.delivered_at or order.received_at
    if since is None:
        return None
    span = queries.policy(order.policy_id).rules.claim_within.span
    return clocks.deadline(since, span, queries.channel(order.channel_id).calendar)


def judge_opening(order: Order, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot open an incident on an order at this moment; None when they can (INC-01).

    Something of it must have left the shop, or have been confirmed. The customer's time for it ends; the operator's
    does not.
    """
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if by.role not in (Role.CUSTOMER, Role.OPERATOR):
        return Code.NOT_ALLOWED
    if order.state not in CLAIMABLE or not (order.parcels or order.confirmed_at):
        return Code.WRONG_STATE
    until = claim_until(order) if by.role == Role.CUSTOMER else None
    return Code.DEADLINE_PASSED if until is not None and at > until else None


@transaction.atomic
def open_incident(
    order_id: int,
    line_ids: Collection[int],
    *,
    reason: Reasoned,
    text: str = "",
    files: Sequence[Checked] = (),
    by: Actor,
    at: datetime,
) -> Incident:
    """Open an incident on lines of an order, with a reason and what there is to say of it (INC-01).

    A conversation starts with it, which the shop answers in the time of incidents (INC-09), and the order is neither
    received nor settled until it is closed; one that was settled already has nothing left to be held. Raises
    MoveRefused: `nothing_chosen`, `reason_needed`, `too_long`, `unknown_order`, `not_allowed`, `wrong_state`,
    `deadline_passed`, `out_of_order`, `unknown_line`, `incident_stands` when a line is in one already.
    """
    given, text = why(reason), visible(text)
    chosen = list(dict.fromkeys(line_ids))
    if not chosen:
        raise MoveRefused(Refusal(order_id, Code.NOTHING_CHOSEN))
    if not given:
        raise MoveRefused(Refusal(order_id, Code.REASON_NEEDED))
    if len(given.note) > LONGEST_REASON or len(text) > conversing.LONGEST:
        raise MoveRefused(Refusal(order_id, Code.TOO_LONG))
    opened: list[Incident] = []

    def follow(order: Order) -> Followed:
        code = judge_opening(order, by=by, at=max(at, order.moved_at))
        if code is not None:
            raise Refuse(code)
        lines = _free(order, chosen)
        incident = _opened(order, lines, given, text, files, by=by, at=at)
        opened.append(incident)
        return _told(incident, lines, given, text)

    one(follow_incidents([order_id], Verb.INCIDENT_OPENED, follow, also=lambda: None, by=by, at=at))
    return opened[0]


def _free(order: Order, chosen: Sequence[int]) -> list[Line]:
    """The lines that are meant, under the lock of their order: accepted ones of it, in no incident that stands."""
    lines = list(Line.objects.filter(order_id=order.id, id__in=chosen, decision=Decision.ACCEPTED))
    if len(lines) != len(chosen):
        raise Refuse(Code.UNKNOWN_LINE)
    if IncidentLine.objects.filter(line_id__in=chosen, standing=True).exists():
        raise Refuse(Code.INCIDENT_STANDS)
    return lines


def _opened(
    order: Order,
    lines: Sequence[Line],
    given: Why,
    text: str,
    files: Sequence[Checked],
    *,
    by: Actor,
    at: datetime,
) -> Incident:
    before = Incident.objects.filter(order_id=order.id).aggregate(most=Max("number"))["most"]
    number = (before or 0) + 1
    message = conversing.start(
        order.shop,
        Words(text or said(ReasonKind.INCIDENT, given), told=False, files=files),
        to=SHOP if by.role == Role.CUSTOMER else To(customer=True, shop=True),
        order=order,
        reason_code=given.code,
        of_incident=True,
        take_back=False,
        by=by,
        at=at,
    )
    incident = Incident(
        shop_id=order.shop_id,
        order_id=order.id,
        thread_id=message.thread_id,
        number=number,
        reference=f"{order.reference}/{number}",
        state=State.OPEN,
        reason_code=given.code,
        reason_note=given.note,
        opened_at=at,
        opened_role=by.role.value,
        opened_by=by.label,
    )
    mirror(incident, order)
    incident.save()
    IncidentLine.objects.bulk_create(
        [IncidentLine(shop_id=order.shop_id, incident=incident, line=line) for line in lines]
    )
    return incident


def _told(incident: Incident, lines: Sequence[Line], given: Why, text: str) -> Followed:
    answer_by = incident.answer_by
    return Followed(
        True,
        {
            "incident": incident.reference,
            "number": incident.number,
            "reason": given.kept,
            "lines": [{"line": line.external_id, "title": line.title} for line in lines],
        },
        {
            "thread": incident.thread_id,
            "text": paragraphs(text),
            "answer_by": answer_by.isoformat() if answer_by else None,
        },
        given,
    )

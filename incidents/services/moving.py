"""The one door of incidents: lock order, conversation and incident in this order, look again, move, write, tell."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import transaction

from incidents.models import Incident, IncidentLine
from incidents.services.following import mirror, rest
from incidents.states import STANDING, TABLE, State
from marketplace import bulk
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from messaging.models import Thread
from orders.models import Order
from orders.services import Followed, Refuse, follow_incidents
from orders.states import Verb
from sellers.desk import Actor, Right

WHO: dict[str, frozenset[Role]] = {
    "resolve": frozenset({Role.SELLER}),
    "send_back": frozenset({Role.OPERATOR}),
    "close": frozenset({Role.OPERATOR}),
    "lapse": frozenset({Role.PLATFORM}),
    "refund": frozenset(Role),
}
"""Who may do what to an incident; what a refund closes is closed by whoever refunds."""

TOLD = {
    "resolve": Verb.INCIDENT_RESOLVED,
    "send_back": Verb.INCIDENT_SENT_BACK,
    "close": Verb.INCIDENT_CLOSED,
    "lapse": Verb.INCIDENT_CLOSED,
    "refund": Verb.INCIDENT_CLOSED,
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb did to an incident: what the history of its order keeps of it, and what is told besides."""

    data: Mapping[str, Any] = field(default_factory=dict)
    news: Mapping[str, Any] = field(default_factory=dict)


type Doing = Callable[[Incident, Order], Done]


def judge(incident: Incident, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot do this to an incident at this moment; None when they can (INC-04, INC-05).

    The pages ask the same question before they offer a button.
    """
    step = TABLE.get((verb, incident.__dict__["state"]))
    if step is None:
        return Code.INCIDENT_ELSEWHERE
    if by.role not in WHO[verb]:
        return Code.NOT_ALLOWED
    if by.role == Role.SELLER and not (by.may(Right.WORK_ORDERS) or by.may(Right.ANSWER)):
        return Code.NOT_ALLOWED
    if step.not_before and at < getattr(incident, step.not_before):
        return Code.TOO_EARLY
    return None


class _Held:
    """The incidents in hand, read under the lock of their orders: their threads are locked, then they are."""

    def __init__(self, ids: Mapping[int, int]) -> None:
        self._ids = ids
        self._rows: dict[int, Incident] | None = None
        self._standing: dict[int, set[int]] = {}

    def of(self, order: Order) -> Incident:
        if self._rows is None:
            ids = list(self._ids.values())
            threads = Thread.objects.filter(incident__in=ids).values_list("id", flat=True)
            bulk.lock(Thread, list(threads))
            self._rows = {row.order_id: row for row in bulk.lock(Incident, ids)}
            rows = Incident.objects.filter(order_id__in=list(self._ids), state__in=STANDING)
            for order_id, incident_id in rows.values_list("order_id", "id"):
                self._standing.setdefault(order_id, set()).add(incident_id)
        return self._rows[order.id]

    def others_stand(self, incident: Incident) -> bool:
        return bool(self._standing.get(incident.order_id, set()) - {incident.id})


def act(
    incident_ids: Collection[int],
    verb: str,
    doing: Doing,
    *,
    skip_locked: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome[Incident]:
    """Do one verb to many incidents and answer for each: done, or refused and why.

    With `skip_locked` (timers) those of orders that somebody else is moving are left for the next tick.
    """
    wanted = list(dict.fromkeys(incident_ids))
    orders = dict(Incident.objects.filter(id__in=wanted).values_list("id", "order_id"))
    done = Outcome[Incident]([], [Refusal(pk, Code.UNKNOWN_INCIDENT) for pk in wanted if pk not in orders])
    with transaction.atomic(savepoint=False):
        for batch in _one_an_order([pk for pk in wanted if pk in orders], orders):
            one = _act(batch, verb, doing, skip_locked=skip_locked, by=by, at=at)
            done = Outcome([*done.moved, *one.moved], [*done.refused, *one.refused])
    return done


def _one_an_order(ids: Sequence[int], orders: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """The incidents by their order, in as many rounds as an order has several."""
    left = list(ids)
    while left:
        batch: dict[int, int] = {}
        for pk in left:
            batch.setdefault(orders[pk], pk)
        yield batch
        taken = set(batch.values())
        left = [pk for pk in left if pk not in taken]


def _act(
    batch: Mapping[int, int], verb: str, doing: Doing, *, skip_locked: bool, by: Actor, at: datetime
) -> Outcome[Incident]:
    held = _Held(batch)
    moved: list[Incident] = []

    def follow(order: Order) -> Followed:
        incident = held.of(order)
        code = judge(incident, verb, by=by, at=at)
        if code is not None:
            raise Refuse(code)
        done = doing(incident, order)
        getattr(incident, verb)()
        if incident.standing:
            mirror(incident, order)
        else:
            rest(incident)
        moved.append(incident)
        stands = incident.standing or held.others_stand(incident)
        about = {"incident": incident.reference, "number": incident.number}
        due = incident.close_due_at
        news = {
            "thread": incident.thread_id,
            "close_due_at": due.isoformat() if due else None,
            "stands": stands,
        }
        return Followed(stands, {**about, **done.data}, {**news, **done.news})

    outcome = follow_incidents(
        batch, TOLD[verb], follow, also=lambda: _write(moved), skip_locked=skip_locked, by=by, at=at
    )
    refused = [Refusal(batch[refusal.id], refusal.code, refusal.detail) for refusal in outcome.refused]
    return Outcome(moved, refused)


_COLUMNS = (
    "id", "state", "resolved_at", "resolved_by", "resolved_code", "resolved_note", "sent_back_at", "sent_back_reason",
    "quiet_since", "close_due_at", "review_since", "closed_at", "closed_by", "closed_how", "turn", "answer_by",
    "messages_count",
)  # fmt: skip


def _write(moved: Sequence[Incident]) -> None:
    columns = itemgetter(*_COLUMNS)
    bulk.update(Incident, _COLUMNS, [columns(one.__dict__) for one in moved])
    closed = [one.id for one in moved if one.state == State.CLOSED]
    if closed:
        IncidentLine.objects.filter(incident_id__in=closed).update(standing=False)


def single(outcome: Outcome[Incident]) -> Incident:
    """The one incident that was moved, or its refusal raised as `MoveRefused` for the page to show."""
    if outcome.refused:
        raise MoveRefused(outcome.refused[0])
    return outcome.moved[0]

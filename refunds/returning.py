"""The one door of returns: lock the order, then the return, look again, move, write, tell (REF-09)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import transaction

from marketplace import bulk, clocks, queries
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders.models import Order
from orders.services import Followed, Refuse, follow_incidents
from orders.states import HoldKind, Verb
from refunds.models import ReturnLine, ReturnRequest
from refunds.states import HOLDING, ONLY_LATE, OPEN, RETURN_TABLE, WINDOWS
from sellers.desk import Actor, Right

_AT_THE_DESK = frozenset({Role.SELLER, Role.OPERATOR})
LATE = "late"
"""No move: that a return lasts longer than it should, and nothing follows from it by itself."""

WHO: dict[str, frozenset[Role]] = {
    "accept": _AT_THE_DESK,
    "refuse": _AT_THE_DESK,
    "presume": frozenset({Role.PLATFORM}),
    "instruct": _AT_THE_DESK,
    "send": frozenset({Role.CUSTOMER, Role.OPERATOR}),
    "lapse": frozenset({Role.PLATFORM}),
    "withdraw": frozenset({Role.CUSTOMER, Role.OPERATOR}),
    "receive": _AT_THE_DESK,
    "inspect": _AT_THE_DESK,
    "pay": _AT_THE_DESK,
    "replace": _AT_THE_DESK,
    "reject": _AT_THE_DESK,
    "overtake": frozenset(Role),
    "reopen": frozenset(Role),
    LATE: frozenset({Role.PLATFORM}),
}
"""Who may do what to a return; what a total refund ends is ended by whoever refunds."""

NEEDS: dict[str, Right] = {"pay": Right.REFUND}
"""What a member of a shop needs for it; `WORK_ORDERS` for all else."""

TOLD: dict[str, Verb] = {
    "accept": Verb.RETURN_ACCEPTED,
    "refuse": Verb.RETURN_REFUSED,
    "instruct": Verb.RETURN_INSTRUCTED,
    "send": Verb.RETURN_SENT,
    "lapse": Verb.RETURN_LAPSED,
    "withdraw": Verb.RETURN_WITHDRAWN,
    "receive": Verb.RETURN_RECEIVED,
    "inspect": Verb.RETURN_INSPECTED,
    "pay": Verb.RETURN_REFUNDED,
    "replace": Verb.RETURN_REPLACED,
    "reject": Verb.RETURN_REJECTED,
    "overtake": Verb.RETURN_REFUNDED,
    "reopen": Verb.RETURN_REOPENED,
    LATE: Verb.RETURN_LATE,
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb did to a return: what the history of its order keeps of it, and what is told besides."""

    data: Mapping[str, Any] = field(default_factory=dict)
    news: Mapping[str, Any] = field(default_factory=dict)


type Doing = Callable[[ReturnRequest, Order, Sequence[ReturnLine]], Done]


def nothing_more(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
    """The move says all."""
    del row, order, lines
    return Done()


def judge(row: ReturnRequest, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot do this to a return at this moment; None when they can (REF-09).

    The pages ask the same question before they offer a button.
    """
    state = row.__dict__["state"]
    step = RETURN_TABLE.get((verb, state))
    if step is None and not (verb == LATE and state in ONLY_LATE and row.late_at is None):
        return Code.RETURN_ELSEWHERE
    if by.role not in WHO[verb] or not by.may(NEEDS.get(verb, Right.WORK_ORDERS)):
        return Code.NOT_ALLOWED
    passed = row.due_by is not None and at > row.due_by
    if step is not None and step.not_after and passed:
        return Code.DEADLINE_PASSED
    return Code.TOO_EARLY if (step is None or step.only_after) and not passed else None


def due(order: Order, state: str, since: datetime) -> datetime | None:
    """Until when a return may stay in a state that begins now; None where it waits for nothing."""
    window = WINDOWS.get(state)
    if window is None:
        return None
    span = getattr(queries.policy(order.policy_id).rules, window).span
    return clocks.deadline(since, span, queries.channel(order.channel_id).calendar)


def units_of(lines: Sequence[ReturnLine]) -> list[dict[str, Any]]:
    """What a return is of, as the history and the mails have it."""
    return [{"title": one.line.title, "units": one.units} for one in lines]


class _Held:
    """The returns in hand, read and locked under the lock of their orders, with their lines and the other open ones."""

    def __init__(self, ids: Mapping[int, int]) -> None:
        self._ids = ids
        self._rows: dict[int, ReturnRequest] | None = None
        self._lines: dict[int, list[ReturnLine]] = {}
        self._holding: dict[int, set[int]] = {}

    def of(self, order: Order) -> ReturnRequest:
        if self._rows is None:
            ids = list(self._ids.values())
            self._rows = {row.order_id: row for row in bulk.lock(ReturnRequest, ids)}
            lines = ReturnLine.objects.filter(request__in=ids).select_related("line").order_by("line_id")
            for line in lines:
                self._lines.setdefault(line.request_id, []).append(line)
            rows = ReturnRequest.objects.filter(order_id__in=list(self._ids), state__in=HOLDING)
            for order_id, row_id in rows.values_list("order_id", "id"):
                self._holding.setdefault(order_id, set()).add(row_id)
        return self._rows[order.id]

    def lines(self, row: ReturnRequest) -> list[ReturnLine]:
        return self._lines.get(row.id, [])

    def others_hold(self, row: ReturnRequest) -> bool:
        return bool(self._holding.get(row.order_id, set()) - {row.id})


def act(
    return_ids: Collection[int],
    verb: str,
    doing: Doing = nothing_more,
    *,
    told: Verb | None = None,
    skip_locked: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome[ReturnRequest]:
    """Do one verb to many returns and answer for each: done, or refused and why; the history has it as `told`.

    With `skip_locked` (timers) those of orders that somebody else is moving are left for the next tick.
    """
    wanted = list(dict.fromkeys(return_ids))
    orders = dict(ReturnRequest.objects.filter(id__in=wanted).values_list("id", "order_id"))
    unknown = [Refusal(pk, Code.UNKNOWN_RETURN) for pk in wanted if pk not in orders]
    done = Outcome[ReturnRequest]([], unknown)
    with transaction.atomic(savepoint=False):
        for batch in _one_an_order([pk for pk in wanted if pk in orders], orders):
            one = _act(batch, verb, doing, told or TOLD[verb], skip_locked=skip_locked, by=by, at=at)
            done = Outcome([*done.moved, *one.moved], [*done.refused, *one.refused])
    return done


def _one_an_order(ids: Sequence[int], orders: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """The returns by their order, in as many rounds as an order has several."""
    left = list(ids)
    while left:
        batch: dict[int, int] = {}
        for pk in left:
            batch.setdefault(orders[pk], pk)
        yield batch
        taken = set(batch.values())
        left = [pk for pk in left if pk not in taken]


def _act(
    batch: Mapping[int, int],
    verb: str,
    doing: Doing,
    told: Verb,
    *,
    skip_locked: bool,
    by: Actor,
    at: datetime,
) -> Outcome[ReturnRequest]:
    held = _Held(batch)
    moved: list[ReturnRequest] = []

    def follow(order: Order) -> Followed:
        row = held.of(order)
        code = judge(row, verb, by=by, at=at)
        if code is not None:
            raise Refuse(code)
        lines = held.lines(row)
        done = doing(row, order, lines)
        if verb != LATE:
            getattr(row, verb)()
            _begin(row, order, at)
        moved.append(row)
        stands = row.state in HOLDING or held.others_hold(row)
        news = {"wanted": units_of(lines), "due_by": row.due_by.isoformat() if row.due_by else None}
        return Followed(
            stands, {"return": row.number, **done.data}, {**news, "state": row.state, **done.news}
        )

    outcome = follow_incidents(
        batch,
        told,
        follow,
        also=lambda: _write(moved),
        kind=HoldKind.RETURN,
        skip_locked=skip_locked,
        by=by,
        at=at,
    )
    refused = [Refusal(batch[refusal.id], refusal.code, refusal.detail) for refusal in outcome.refused]
    return Outcome(moved, refused)


def _begin(row: ReturnRequest, order: Order, at: datetime) -> None:
    """Start the clock of the state that a return has come to."""
    row.since, row.late_at = at, None
    row.due_by = due(order, row.state, at)
    row.ended_at = None if row.state in OPEN else at


_COLUMNS = (
    "id", "state", "since", "due_by", "late_at", "presumed", "accepted_at", "answer_code", "answer", "instructed_at",
    "instructions_id", "sent_at", "sent_carrier", "sent_tracking", "received_at", "inspected_at", "refund_id",
    "new_carrier_id", "new_carrier_name", "new_tracking", "ended_at",
)  # fmt: skip


def _write(moved: Sequence[ReturnRequest]) -> None:
    columns = itemgetter(*_COLUMNS)
    bulk.update(ReturnRequest, _COLUMNS, [columns(one.__dict__) for one in moved])


def single(outcome: Outcome[ReturnRequest]) -> ReturnRequest:
    """The one return that was moved, or its refusal raised as `MoveRefused` for the page to show."""
    if outcome.refused:
        raise MoveRefused(outcome.refused[0])
    return outcome.moved[0]

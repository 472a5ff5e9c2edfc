"""Asking for an act that one may not do, and the answer of whoever may (ROL-05, CAN-03).

A request is of one act on one order and lapses when the order leaves the state that it was made in. What it asks for
is done in the transaction of its approval, through the verb's own service and on the rights of whoever approves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace.policy import Role
from marketplace.reasons import Reasoned, Why, why
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders.models import Asking, Order, Request
from orders.services.acceptance import accept, refuse
from orders.services.cancelling import cancel
from orders.services.holds import judge_release, release
from orders.services.lapsing import news_of, request_words
from orders.services.move import Change, Refuse, _move, fulfils, judge, lock_orders, one
from orders.services.returning import retry, return_to_sender
from orders.services.shipping import deliver, ready
from orders.signals import Moved, requests_answered, requests_made
from orders.states import HoldKind, Verb
from sellers.desk import PLATFORM, Actor, Right

LONGEST_NOTE = 300

type Judging = Callable[..., Code | None]


@dataclass(frozen=True, slots=True)
class Askable:
    """An act that can be asked for: how it is done once it is granted, and who may do it (`judge` where nothing else
    is said). `facts` are what it needs besides a reason."""

    carry_out: Callable[[Request, Actor, datetime], Outcome[Moved]]
    needs_reason: bool = False
    judged: Judging = judge
    facts: tuple[str, ...] = ()


def _reason(request: Request) -> Why:
    return Why(request.reason_code, request.note)


ACTS: dict[str, Askable] = {
    Verb.ACCEPT: Askable(lambda asked, by, at: accept([asked.order_id], by=by, at=at)),
    Verb.REFUSE: Askable(
        lambda asked, by, at: refuse([asked.order_id], reason=_reason(asked), by=by, at=at), needs_reason=True
    ),
    Verb.CANCEL: Askable(
        lambda asked, by, at: cancel([asked.order_id], reason=_reason(asked), by=by, at=at), needs_reason=True
    ),
    Verb.READY: Askable(lambda asked, by, at: ready([asked.order_id], by=by, at=at)),
    Verb.DELIVER: Askable(lambda asked, by, at: deliver([asked.order_id], by=by, at=at)),
    Verb.RETRY: Askable(lambda asked, by, at: retry([asked.order_id], by=by, at=at)),
    Verb.RETURN_TO_SENDER: Askable(lambda asked, by, at: return_to_sender([asked.order_id], by=by, at=at)),
    Verb.RELEASE: Askable(
        lambda asked, by, at: release([asked.order_id], HoldKind(asked.facts["kind"]), by=by, at=at),
        judged=judge_release,
        facts=("kind",),
    ),
}
"""What can be asked for; apps above add theirs."""


def who_may(
    order: Order, verb: str, facts: Mapping[str, Any] | None = None, *, at: datetime
) -> tuple[Role, ...]:
    """Who of the shop, whoever fulfils the order and the operator may do an act on it as it stands."""
    judged = ACTS[verb].judged
    given = dict(facts or {})
    desks = (
        Actor(Role.SELLER, ""),
        Actor(Role.SUPPLIER, "", supplier_id=order.supplier_id or -1),
        Actor(Role.OPERATOR, ""),
    )
    return tuple(desk.role for desk in desks if judged(order, verb, **given, by=desk, at=at) is None)


def asked_of(
    order: Order, verb: str, facts: Mapping[str, Any] | None = None, *, by: Actor, at: datetime
) -> Role | None:
    """Whom somebody would ask for an act that they may not do themselves: the shop's own people before whoever fulfils
    the order, and these before the operator (CAN-03); None where there is nothing to ask or nobody who could."""
    if verb not in ACTS or by.role not in (Role.SELLER, Role.SUPPLIER, Role.CUSTOMER):
        return None
    if by.role == Role.SUPPLIER and not (fulfils(order, Verb.SHIP, by) and by.may(Right.WORK_ORDERS)):
        return None
    if ACTS[verb].judged(order, verb, **dict(facts or {}), by=by, at=at) is None:
        return None
    may = who_may(order, verb, facts, at=at)
    if by.role == Role.SUPPLIER:
        may = tuple(role for role in may if role == Role.OPERATOR)
    return may[0] if may else None


def judge_asking(
    order: Order, verb: str, facts: Mapping[str, Any] | None = None, *, by: Actor, at: datetime
) -> Code | None:
    """Say why an act cannot be asked for; None when it can. What one may do oneself is not asked for."""
    if verb not in ACTS:
        return Code.NOT_ASKED_FOR
    if set(facts or ()) != set(ACTS[verb].facts):
        return Code.MALFORMED
    own = ACTS[verb].judged(order, verb, **dict(facts or {}), by=by, at=at)
    if own is None:
        return Code.NOT_ASKED_FOR
    return None if asked_of(order, verb, facts, by=by, at=at) is not None else own


def ask(
    order_id: int,
    verb: str,
    *,
    reason: Reasoned = "",
    facts: Mapping[str, Any] | None = None,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Ask whoever may for an act that one may not do; `data["request"]` of what moved is the request's id (ROL-05).

    Refused as `duplicate` while the same act waits for an answer, `reason_needed`, `not_asked_for` for what one may do
    oneself or what cannot be asked for; else for what stands in the way of the act.
    """
    given, needs = why(reason), dict(facts or {})
    made: list[Request] = []

    def judged(order: Order, _verb: str, *, by: Actor, at: datetime) -> Code | None:
        if at < order.moved_at:
            return Code.OUT_OF_ORDER
        return judge_asking(order, verb, needs, by=by, at=at)

    def change(order: Order) -> Change:
        if ACTS[verb].needs_reason and not given:
            raise Refuse(Code.REASON_NEEDED)
        if len(given.note) > LONGEST_NOTE:
            raise Refuse(Code.TOO_LONG)
        if order.requests.filter(verb=verb, state=Asking.OPEN).exists():
            raise Refuse(Code.DUPLICATE)
        order.open_requests += 1
        made.append(_made(order, verb, given, needs, by=by, at=at))
        return Change(request_words(made[-1]))

    with transaction.atomic():
        outcome = _move(
            [order_id], Verb.REQUEST_MADE, change, fields=("open_requests",), judged=judged, by=by, at=at
        )
        if made:
            requests_made.send(sender=Request, told=[news_of(made[0])], by=by, at=at)
    return outcome


def _made(
    order: Order, verb: str, given: Why, needs: Mapping[str, Any], *, by: Actor, at: datetime
) -> Request:
    role = asked_of(order, verb, needs, by=by, at=max(at, order.moved_at))
    return Request.objects.create(
        shop_id=order.shop_id,
        order_id=order.id,
        verb=verb,
        order_state=order.__dict__["state"],
        facts=dict(needs),
        reason_code=given.code,
        note=given.note,
        asked_of=role or Role.OPERATOR,
        asked_at=at,
        asked_role=by.role,
        asked_by=by.label,
        asked_user_id=by.user_id,
    )


def judge_answer(request: Request, order: Order, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot grant or decline a request; None when they can. The pages ask before they offer it."""
    if request.state != Asking.OPEN:
        return Code.CHANGED if request.state == Asking.OVERTAKEN else Code.NOTHING_TO_ANSWER
    act = ACTS[request.verb]
    return act.judged(order, request.verb, **request.facts, by=by, at=at)


def approve(request_id: int, *, answer: str = "", by: Actor, at: datetime) -> Outcome[Moved]:
    """Grant a request: the act is done in the same transaction, on the rights of whoever grants it (ROL-05).

    Refused as `nothing_to_answer` when it was answered, `changed` when the order has moved on, and for whatever the act
    itself is refused; where nobody could do it any more the request is closed as overtaken, and told.
    """
    with transaction.atomic():
        request, order = _locked(request_id)
        then = _not_before(order, by=by, at=at)
        code = judge_answer(request, order, by=by, at=then)
        if code is not None:
            return _not_granted(request, order, code, at=then)
        try:
            with transaction.atomic():
                _answer(request, order, Asking.APPROVED, answer, by=by, at=then)
                moved = one(ACTS[request.verb].carry_out(request, by, then))
        except MoveRefused as refused:
            request.refresh_from_db()
            return _not_granted(request, order, refused.refusal.code, at=then)
    return Outcome([moved])


_MAY_PASS = frozenset({Code.HELD, Code.OUT_OF_ORDER, Code.TOO_EARLY, Code.OPEN_INCIDENT})
"""What stands in the way of an act for now only: the request waits on."""


def _not_granted(request: Request, order: Order, code: Code, *, at: datetime) -> Outcome[Moved]:
    gone = code not in _MAY_PASS and not who_may(order, request.verb, request.facts, at=at)
    if request.state == Asking.OPEN and gone:
        _answer(request, order, Asking.OVERTAKEN, "", by=PLATFORM, at=at)
    return Outcome([], [Refusal(order.id, code)])


_HAS_THE_RIGHT = _MAY_PASS | {Code.PARCEL_ON_ITS_WAY, Code.CONFIRMED, Code.DEADLINE_PASSED}
"""What is said only to somebody who has the right to an act: saying no they can all the same."""


def decline(request_id: int, *, answer: str, by: Actor, at: datetime) -> Outcome[Moved]:
    """Say no to a request, and why (ROL-05); whoever could grant it may. Refused as `reason_needed` without a word."""
    with transaction.atomic():
        request, order = _locked(request_id)
        then = _not_before(order, by=by, at=at)
        code = judge_answer(request, order, by=by, at=then)
        if code in _HAS_THE_RIGHT - {Code.OUT_OF_ORDER}:
            code = None
        if code is None and not answer:
            code = Code.REASON_NEEDED
        if code is not None:
            return Outcome([], [Refusal(order.id, code)])
        return _answer(request, order, Asking.DECLINED, answer, by=by, at=then)


def may_withdraw(request: Request, by: Actor) -> bool:
    """Whether somebody may take a request back: whoever made it, or another of the shop who works its orders."""
    if request.asked_user_id is not None and request.asked_user_id == by.user_id:
        return True
    same_side = request.asked_role == by.role
    return same_side and by.role in (Role.SELLER, Role.CUSTOMER) and by.may(Right.WORK_ORDERS)


def withdraw(request_id: int, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Take a request back before it is answered (ROL-05). Refused as `not_allowed`, `nothing_to_answer`."""
    with transaction.atomic():
        request, order = _locked(request_id)
        if request.state != Asking.OPEN:
            return Outcome([], [Refusal(order.id, Code.NOTHING_TO_ANSWER)])
        if not may_withdraw(request, by):
            return Outcome([], [Refusal(order.id, Code.NOT_ALLOWED)])
        return _answer(request, order, Asking.WITHDRAWN, "", by=by, at=_not_before(order, by=by, at=at))


def _not_before(order: Order, *, by: Actor, at: datetime) -> datetime:
    """A person who waited for another to be done with the order answers after them."""
    return max(at, order.moved_at) if by.user_id is not None else at


def _locked(request_id: int) -> tuple[Request, Order]:
    """The request and its order, both as they stand under the order's lock. Raises Request.DoesNotExist."""
    order_id = Request.objects.values_list("order_id", flat=True).get(id=request_id)
    (order,) = lock_orders([order_id])
    return Request.objects.get(id=request_id), order


_TOLD = {
    Asking.APPROVED: Verb.REQUEST_APPROVED,
    Asking.DECLINED: Verb.REQUEST_DECLINED,
    Asking.WITHDRAWN: Verb.REQUEST_WITHDRAWN,
    Asking.OVERTAKEN: Verb.REQUEST_OVERTAKEN,
}


def _answer(
    request: Request, order: Order, state: Asking, answer: str, *, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Write an answer down, in the history too, and tell it."""

    def judged(order: Order, _verb: str, *, by: Actor, at: datetime) -> Code | None:
        del by
        return Code.OUT_OF_ORDER if at < order.moved_at else None

    def change(order: Order) -> Change:
        order.open_requests -= 1
        told = request_words(request)
        told.pop("reason", None)
        return Change({**told, "note": answer} if answer else told)

    outcome = _move([order.id], _TOLD[state], change, fields=("open_requests",), judged=judged, by=by, at=at)
    one(outcome)
    request.state, request.answered_at, request.answered_by, request.answer = state, at, by.label, answer
    request.save(update_fields=["state", "answered_at", "answered_by", "answer"])
    requests_answered.send(sender=Request, told=[news_of(request)], by=by, at=at)
    return outcome

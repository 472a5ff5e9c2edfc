"""What is asked for of an order as its page shows it: the form to ask with, what waits, what was answered (ROL-05)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms

from dashboard.order_acts import ASK, Acts
from marketplace.policy import ROLE_LABELS, Role
from marketplace.reasons import Why, said
from orders import services
from orders.forms import Attempt
from orders.models import Asking, Order, Request
from orders.request_forms import AnswerForm
from orders.request_views import asking_form
from orders.states import HoldKind
from orders.telling import asked_words, kind_of
from sellers.desk import Actor, who
from sellers.models import Membership

SHOWN = timedelta(days=7)
"""For how long an answer is shown at the head of the page; the history keeps it."""

TONES = {
    Asking.OPEN: "",
    Asking.APPROVED: "done",
    Asking.DECLINED: "late",
    Asking.WITHDRAWN: "info",
    Asking.OVERTAKEN: "info",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A request at the head of an order's page; `may_answer` says that the reader decides, `form` is what they sent."""

    request: Request
    act: str
    by: str
    reason: str
    asked_of: str
    tone: str
    may_answer: bool
    may_withdraw: bool
    form: forms.Form


@dataclass(frozen=True, slots=True)
class Panel:
    """The form in which an act is asked for, and who will decide."""

    verb: str
    act: str
    kind: str
    form: forms.Form
    decides: str


def requests_of(order: Order, member: Membership, at: datetime) -> list[Request]:
    """The requests of an order that wait or were answered lately, newest first; a supplier those that are theirs to
    answer or to take back. Nothing is read of an order of which nothing was ever asked."""
    if not order.was_asked:  # told by `get_order`
        return []
    rows = list(order.requests.order_by("-id")[:20])
    rows = [
        row for row in rows if row.state == Asking.OPEN or (row.answered_at and row.answered_at > at - SHOWN)
    ]
    if member.supplier_id is None:
        return rows
    return [row for row in rows if row.asked_user_id == member.user_id or row.asked_of == Role.SUPPLIER]


def shown(
    requests: Sequence[Request], order: Order, attempt: Attempt | None, *, by: Actor, at: datetime
) -> list[Shown]:
    """The requests as the page tells them to whoever looks at it."""
    return [_shown(one, order, attempt, by=by, at=at) for one in requests]


def _shown(one: Request, order: Order, attempt: Attempt | None, *, by: Actor, at: datetime) -> Shown:
    waits = one.state == Asking.OPEN
    sent = attempt is not None and attempt.act == "answer" and attempt.about == str(one.pk)
    sent_form = attempt.form if attempt and sent and attempt.refusal is None else AnswerForm()
    return Shown(
        one,
        asked_words(one.verb, one.facts),
        who(one.asked_by),
        said(kind_of(one.verb), Why(one.reason_code, one.note)),
        str(ROLE_LABELS[Role(one.asked_of)]),
        TONES[Asking(one.state)],
        waits and services.judge_answer(one, order, by=by, at=max(at, order.moved_at)) is None,
        waits and services.may_withdraw(one, by),
        sent_form,
    )


def asking(acts: Acts, given: Mapping[str, str], attempt: Attempt | None) -> Panel | None:
    """The form to ask with: opened by its address, or as it was sent."""
    if attempt is not None and attempt.act != "ask":
        return None
    verb = attempt.about if attempt else given.get("que", "") if given.get("acto") == ASK else ""
    kind = (attempt.form.data if attempt else given).get("kind", "")
    if not verb or not acts.may_ask(verb, kind):
        return None
    decides = next(
        act.why_not
        for act in (acts.next, *acts.more)
        if act and act.verb == verb and act.asks and dict(act.fields).get("kind", "") == kind
    )
    facts = {"kind": kind} if kind in HoldKind.values else {}
    return Panel(
        verb, asked_words(verb, facts), kind, attempt.form if attempt else asking_form(verb), decides
    )

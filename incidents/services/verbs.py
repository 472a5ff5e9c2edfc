"""What is done to an incident: resolved, sent back, closed, by people and by the clock (INC-04 … INC-06)."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from incidents.models import Incident
from incidents.services.moving import Done, act, single
from incidents.states import STANDING, ClosedHow, State
from marketplace import bulk, queries
from marketplace.reasons import Reasoned, Why, why
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from messaging import answer_clock, conversing
from messaging.conversing import Words
from messaging.recipients import OPERATOR, SHOP
from orders.models import Order
from orders.services import Refuse
from sellers.desk import Actor

LONGEST_REASON = 300
"""Characters of the reason for sending an incident back, and of a note."""


def paragraphs(text: str) -> list[str]:
    """A text as a notice carries it."""
    return [line for line in text.splitlines() if line.strip()]


def resolve(incident_id: int, *, reason: Reasoned, message: str = "", by: Actor, at: datetime) -> Incident:
    """The shop says that an incident is solved, and how; the operators are told, and the quiet time starts (INC-04).

    What the customer asked counts as answered by it. `message` is for the operator; the policy may ask for one. Raises
    MoveRefused: `reason_needed`, `empty_message` where the policy asks for it, `too_long`, `not_allowed`,
    `incident_elsewhere`, `unknown_incident`.
    """
    given = why(reason)
    if not given.code:
        raise MoveRefused(Refusal(incident_id, Code.REASON_NEEDED))
    _short_enough(incident_id, given.note, message)

    def doing(incident: Incident, order: Order) -> Done:
        if not message.strip() and queries.policy(order.policy_id).rules.incident_tells_operator:
            raise Refuse(Code.EMPTY_MESSAGE)
        incident.resolved_at, incident.resolved_by = at, by.label
        incident.resolved_code, incident.resolved_note = given.code, given.note
        incident.sent_back_at, incident.sent_back_reason = None, ""
        conversing.answered_by_act(incident.thread_id, at=at)
        if message.strip():
            words = Words(message, told=False)
            conversing.write(incident.thread_id, words, to=OPERATOR, take_back=False, by=by, at=at)
        return Done({"reason": given.kept}, {"text": paragraphs(message)})

    return single(act([incident_id], "resolve", doing, by=by, at=at))


def _short_enough(incident_id: int, note: str, message: str = "") -> None:
    if len(note) > LONGEST_REASON or len(message.strip()) > conversing.LONGEST:
        raise MoveRefused(Refusal(incident_id, Code.TOO_LONG))


@transaction.atomic
def send_back(incident_id: int, *, reason: str, by: Actor, at: datetime) -> Incident:
    """The operator says why it is not solved: it is open again, and the shop has to answer (INC-05).

    Raises MoveRefused: `reason_needed`, `too_long`, `not_allowed`, `incident_elsewhere`, `unknown_incident`.
    """
    said = reason.strip()
    if not said:
        raise MoveRefused(Refusal(incident_id, Code.REASON_NEEDED))
    _short_enough(incident_id, said)
    for shop_id in Incident.objects.filter(id=incident_id).values_list("shop_id", flat=True):
        answer_clock.stand_by(shop_id)  # before the locks: who publishes days locks conversations after it

    def doing(incident: Incident, order: Order) -> Done:
        del order
        incident.sent_back_at, incident.sent_back_reason = at, said
        words = Words(said, told=False)
        message = conversing.write(incident.thread_id, words, to=SHOP, take_back=False, by=by, at=at)
        answer_by = message.answer_by.isoformat() if message.answer_by else None
        return Done({"reason": Why(note=said).kept}, {"answer_by": answer_by})

    return single(act([incident_id], "send_back", doing, by=by, at=at))


class _Closing:
    """Closing an incident, and what it was closed by."""

    def __init__(self, how: ClosedHow, by: Actor, at: datetime) -> None:
        self.how, self.by, self.at = how, by, at

    def __call__(self, incident: Incident, order: Order) -> Done:
        del order
        incident.closed_at, incident.closed_by, incident.closed_how = self.at, self.by.label, self.how.value
        return Done({"how": self.how.value})


def close(
    incident_ids: Collection[int], *, seen: Mapping[int, int] | None = None, by: Actor, at: datetime
) -> Outcome[Incident]:
    """The operator closes what the shop has resolved; with the last of an order its money goes on (INC-05).

    `seen` is how many messages each had when the operator looked: one with more is refused as `changed`, so that
    nobody closes over words that they have not read.
    """
    closing = _Closing(ClosedHow.OPERATOR, by, at)

    def doing(incident: Incident, order: Order) -> Done:
        if seen is not None and seen.get(incident.id) != incident.messages_count:
            raise Refuse(Code.CHANGED)
        return closing(incident, order)

    return act(incident_ids, "close", doing, by=by, at=at)


def close_refunded(order_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[Incident]:
    """Close what stands of orders of which the customer has everything back (INC-06)."""
    rows = Incident.objects.filter(order_id__in=list(order_ids), state__in=STANDING)
    ids = list(rows.values_list("id", flat=True))
    return act(ids, "refund", _Closing(ClosedHow.REFUND, by, at), by=by, at=at) if ids else Outcome()


def lapse(incident_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[Incident]:
    """The quiet time of incidents is over: they are closed where the policy says so, and otherwise come into the
    operators' list (INC-05). What is being moved by somebody else is left for the next tick."""
    rows = Incident.objects.filter(id__in=list(incident_ids)).values_list("id", "order__policy_id")
    policies = dict(rows)
    rules = queries.policies(policies.values())
    itself = [pk for pk, policy_id in policies.items() if rules[policy_id].rules.incident_closes_itself]
    closed = act(itself, "lapse", _Closing(ClosedHow.SILENCE, by, at), skip_locked=True, by=by, at=at)
    listed = _list_for_review([pk for pk in policies if pk not in set(itself)], at=at)
    return Outcome([*closed.moved, *listed.moved], [*closed.refused, *listed.refused])


@transaction.atomic
def _list_for_review(incident_ids: Collection[int], *, at: datetime) -> Outcome[Incident]:
    due: list[Incident] = []
    refused: list[Refusal] = []
    for incident in bulk.lock(Incident, list(incident_ids), skip_locked=True):
        if incident.state != State.RESOLVED or incident.review_since is not None:
            refused.append(Refusal(incident.id, Code.INCIDENT_ELSEWHERE))
        elif incident.close_due_at is None or incident.close_due_at > at:
            refused.append(Refusal(incident.id, Code.TOO_EARLY))
        else:
            incident.review_since = at
            due.append(incident)
    bulk.update(Incident, ("id", "review_since"), [(one.id, one.review_since) for one in due])
    return Outcome(due, refused)

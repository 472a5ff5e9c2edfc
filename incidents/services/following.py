"""What an incident says of its conversation: whose turn it is, what waits, since when nobody has said anything."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from incidents.models import Incident
from incidents.states import STANDING, State, Turn
from marketplace import clocks, queries
from marketplace.policy import Role
from messaging.models import Message, Thread
from orders.models import Order

MIRRORS = ("turn", "answer_by", "messages_count", "quiet_since", "close_due_at", "review_since")


class _Last(NamedTuple):
    """The last message of a conversation."""

    role: str
    to_customer: bool
    visible_at: datetime


def mirror(incident: Incident, order: Order) -> None:
    """Set what an incident mirrors from its thread, whose lock the caller holds; a quiet time that starts anew takes it
    off the operators' list (INC-05, INC-08, INC-09)."""
    thread = Thread.objects.get(id=incident.thread_id)
    incident.messages_count = thread.messages_count
    if incident.state == State.CLOSED:
        rest(incident)
        return
    last = _Last(
        *Message.objects.filter(thread_id=incident.thread_id)
        .order_by("-id")
        .values_list("role", "to_customer", "visible_at")[0]
    )
    incident.answer_by = thread.answer_by
    incident.turn = _turn(incident.state, thread, last)
    quiet_since = None
    if incident.state == State.RESOLVED:
        assert incident.resolved_at is not None
        quiet_since = max(incident.resolved_at, last.visible_at)
    if quiet_since != incident.quiet_since:
        incident.quiet_since, incident.review_since = quiet_since, None
        incident.close_due_at = _close_due_at(order, quiet_since) if quiet_since else None


def rest(incident: Incident) -> None:
    """Nobody has anything left to do about an incident that is closed."""
    incident.turn, incident.answer_by = Turn.NOBODY, None
    incident.quiet_since = incident.close_due_at = incident.review_since = None


def _close_due_at(order: Order, since: datetime) -> datetime:
    span = queries.policy(order.policy_id).rules.incident_close_after.span
    return clocks.deadline(since, span, queries.channel(order.channel_id).calendar)


def _turn(state: str, thread: Thread, last: _Last) -> Turn:
    """Whose turn it is: whoever is asked; of a resolved one the operator, who closes it (INC-05)."""
    if thread.waiting:
        return Turn.SHOP
    if thread.operator_waits_since or state == State.RESOLVED:
        return Turn.OPERATOR
    return Turn.CUSTOMER if last.role == Role.SELLER and last.to_customer else Turn.SHOP


def stand_on(thread_ids: Collection[int]) -> bool:
    """Whether an incident stands on an order that one of these conversations is about, settled ones too (MSG-08)."""
    orders = Thread.objects.filter(id__in=list(thread_ids), order__isnull=False).values("order_id")
    return Incident.objects.filter(order_id__in=orders, state__in=STANDING).exists()


def follow_threads(thread_ids: Collection[int]) -> None:
    """Bring the incidents of threads up to date with what was said, or taken back; the caller holds their locks."""
    rows = Incident.objects.select_for_update(of=("self",), no_key=True).filter(
        thread_id__in=list(thread_ids)
    )
    for incident in rows.select_related("order").order_by("id"):
        mirror(incident, incident.order)
        incident.save(update_fields=MIRRORS)

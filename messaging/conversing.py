"""The verbs of conversations: start one, write, take back, say that no answer is needed, read (MSG-01 … MSG-09).

A thread is locked before anything in it is decided, so that its mirrors (`waiting`, `answer_by`, …) are those of its
messages whoever writes at once. What a message causes (a notice, an answer clock) is written in its transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, Q

from marketplace.files import Checked
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import answer_clock, attachments
from messaging.answer_clock import WAITS
from messaging.message_notices import tell_of_message
from messaging.models import CameBy, Message, Thread
from messaging.recipients import MAY_WRITE_TO, To, readable_by
from messaging.signals import Told, messages_taken_back, messages_written, nothing_waits, waits_changed
from messaging.templates import unfilled
from orders import services
from orders.models import Hold, Order
from orders.states import HoldKind
from sellers.desk import Actor, Right
from sellers.models import Shop, Supplier

TAKE_BACK = timedelta(seconds=10)
"""How long a person may take back what they sent; until then nobody else sees it and no notice goes out."""

LONGEST = 10_000
"""Characters of a message."""

_READ = {
    Role.SELLER: "read_by_shop_at",
    Role.OPERATOR: "read_by_operator_at",
    Role.CUSTOMER: "read_by_customer_at",
}
_FILL_IN = (Role.SELLER, Role.OPERATOR)
"""Who writes with templates: nothing of theirs goes out with a variable that stands for nothing (MSG-12)."""


_MIRRORS = (
    "written_at", "messages_count", "waiting", "answer_by", "operator_waits_since", "with_customer", "with_operator"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """What is said: the text, how it came, and the files that passed the gate (MSG-13); it is not `told` where another
    notice carries it. That it is the `invoice` which the customer asked for, `invoices.hand_in` says (DOC-02)."""

    body: str
    came_by: CameBy = CameBy.PAGE
    misdirected: bool = False
    files: Sequence[Checked] = ()
    told: bool = True
    invoice: bool = False


@transaction.atomic
def start(
    shop: Shop,
    words: Words,
    *,
    to: To,
    order: Order | None = None,
    supplier: Supplier | None = None,
    reason_code: str = "",
    subject: str = "",
    request_id: int | None = None,
    of_incident: bool = False,
    take_back: bool = True,
    by: Actor,
    at: datetime,
) -> Message:
    """Start a conversation with its first message (MSG-02, MSG-14).

    `supplier` is whom it is with where it is with a supplier of the shop; without `order` it is with the operator.
    `request_id` is what it asks for, where it is about that (ROL-05). That of an incident is answered in its time
    (INC-09).
    Raises MoveRefused: `not_allowed`, `no_such_recipient`, `empty_message`, `too_long`, `unfilled`,
    `files_not_kept`.
    """
    _may_write(by, to, order=order, supplier=supplier)
    if answer_clock.starts(to, by=by):
        answer_clock.stand_by(shop.id)
    thread = Thread.objects.create(
        shop=shop,
        channel=order.channel if order else None,
        order=order,
        supplier=supplier,
        reason_code=reason_code,
        subject=subject,
        request_id=request_id,
        of_incident=of_incident,
        started_at=at,
        written_at=at,
    )
    return _write(thread, words, to=to, take_back=take_back, by=by, at=at)


@transaction.atomic
def write(
    thread_id: int, words: Words, *, to: To, take_back: bool = True, by: Actor, at: datetime
) -> Message:
    """Write a message in a conversation; what it answers waits no more (MSG-03 … MSG-05, MSG-09).

    Raises MoveRefused: `not_allowed`, `no_such_recipient`, `empty_message`, `too_long`, `unfilled`,
    `files_not_kept`.
    """
    if answer_clock.starts(to, by=by):
        answer_clock.stand_by(Thread.objects.values_list("shop_id", flat=True).get(id=thread_id))
    thread = _locked(thread_id)
    _may_write(by, to, order=thread.order, supplier=None if words.misdirected else thread.supplier)
    return _write(thread, words, to=to, take_back=take_back, by=by, at=at)


def _locked(thread_id: int) -> Thread:
    return (
        Thread.objects.select_for_update(of=("self",), no_key=True)
        .select_related("shop", "order__policy", "order__channel", "supplier", "channel__policy")
        .get(id=thread_id)
    )


def _refuse(code: Code, row_id: int = 0, detail: str = "") -> MoveRefused:
    return MoveRefused(Refusal(row_id, code, detail))


def _may_write(by: Actor, to: To, *, order: Order | None, supplier: Supplier | None) -> None:
    if by.role == Role.SELLER and not by.may(Right.ANSWER):
        raise _refuse(Code.NOT_ALLOWED)
    if by.role == Role.SUPPLIER and (supplier is None or supplier.id != by.supplier_id):
        raise _refuse(Code.NOT_ALLOWED)
    if by.role == Role.CUSTOMER and (order is None or supplier is not None):
        raise _refuse(Code.NOT_ALLOWED)
    if not to or to not in MAY_WRITE_TO[by.role]:
        raise _refuse(Code.NO_SUCH_RECIPIENT)
    if to.customer and (order is None or supplier is not None):
        raise _refuse(Code.NO_SUCH_RECIPIENT)
    if to.supplier != (supplier is not None and by.role == Role.SELLER):
        raise _refuse(Code.NO_SUCH_RECIPIENT)
    if to.customer and to.operator and order is not None and not order.policy.rules.write_to_both:
        raise _refuse(Code.NO_SUCH_RECIPIENT)


def _write(thread: Thread, words: Words, *, to: To, take_back: bool, by: Actor, at: datetime) -> Message:
    body = words.body.strip()
    if not body and not words.files:
        raise _refuse(Code.EMPTY_MESSAGE)
    if len(body) > LONGEST:
        raise _refuse(Code.TOO_LONG)
    if by.role in _FILL_IN and (missing := unfilled(body)):
        raise _refuse(Code.UNFILLED, detail=missing)
    visible_at = at + TAKE_BACK if take_back and words.came_by == CameBy.PAGE else at
    message = Message.objects.create(
        shop_id=thread.shop_id,
        thread=thread,
        role=by.role.value,
        author=by.label,
        user_id=by.user_id,
        to_customer=to.customer,
        to_operator=to.operator,
        to_shop=to.shop,
        to_supplier=to.supplier,
        body=body,
        came_by=words.came_by,
        misdirected=words.misdirected,
        is_invoice=words.invoice,
        written_at=at,
        visible_at=visible_at,
        answer_by=answer_clock.answer_by(thread, to, by=by, at=visible_at),
    )
    files = attachments.keep(message, words.files, at=at)
    if by.role == Role.SELLER and not words.misdirected:
        _answered(thread, to, by_message=message, at=at)
    if by.role == Role.OPERATOR:
        read([thread.id], by=by, at=at)
    _mirror(thread)
    if words.told:
        tell_of_message(thread, message, to, files=[file.name for file in files], at=visible_at)
    messages_written.send(sender=Message, told=[_told(thread, message)], by=by, at=at)
    return message


def _told(thread: Thread, message: Message) -> Told:
    return Told(
        message.id,
        thread.id,
        thread.shop_id,
        thread.order_id,
        message.role,
        message.to_customer,
        message.to_operator,
        message.to_shop,
        message.to_supplier,
        message.visible_at,
        message.answer_by,
    )


def _answered(thread: Thread, to: To, *, by_message: Message, at: datetime) -> None:
    """What the customer, or the operator, asked is answered by a message of the shop that is for them."""
    asked_by = [
        role.value for role, chosen in ((Role.CUSTOMER, to.customer), (Role.OPERATOR, to.operator)) if chosen
    ]
    thread.messages.filter(WAITS, role__in=asked_by, id__lt=by_message.id).update(answered_at=at)


def _mirror(thread: Thread) -> None:
    """Write down in a locked thread what its messages say."""
    found = thread.messages.aggregate(
        n=Count("id"),
        last=Max("written_at"),
        waiting=Count("id", filter=WAITS),
        answer_by=Min("answer_by", filter=WAITS),
        customer=Count("id", filter=Q(to_customer=True) | Q(role=Role.CUSTOMER.value)),
        operator=Count("id", filter=Q(to_operator=True) | Q(role=Role.OPERATOR.value)),
    )
    last_of_operator = (
        thread.messages.filter(role=Role.OPERATOR.value).order_by("-id").values_list("id", flat=True)
    )
    for_operator = thread.messages.filter(to_operator=True, read_by_operator_at__isnull=True)
    answered = last_of_operator.first()
    if answered:
        for_operator = for_operator.filter(id__gt=answered)
    thread.written_at = found["last"]
    thread.messages_count, thread.waiting = found["n"], found["waiting"]
    thread.answer_by = found["answer_by"]
    thread.operator_waits_since = for_operator.aggregate(first=Min("visible_at"))["first"]
    thread.with_customer, thread.with_operator = bool(found["customer"]), bool(found["operator"])
    thread.save(update_fields=_MIRRORS)


@transaction.atomic
def take_back(message_id: int, *, by: Actor, at: datetime) -> str:
    """Take back what one has just sent: nobody has seen it, and no notice of it goes out; answers its text.

    A thread that it began goes with it, what it had answered waits again, an invoice that it handed in is owed again.
    Raises MoveRefused: `not_allowed`, `sent_already` once others can see it.
    """
    message = Message.objects.select_related("thread").get(id=message_id)
    order_id = message.thread.order_id if message.is_invoice else None
    if order_id is not None:
        services.lock_orders([order_id])  # before its conversation, as whoever hands one in does
    thread = _locked(message.thread_id)
    message = _own_unseen(message_id, by=by, at=at)
    told = _told(thread, message)
    _waits_again(thread, message)
    if by.role == Role.OPERATOR:
        thread.messages.filter(read_by_operator_at=message.written_at).update(read_by_operator_at=None)
    attachments.let_go(message)
    message.delete()
    if not thread.messages.exists():
        thread.delete()
    else:
        _mirror(thread)
    if order_id is not None:
        left = Message.objects.filter(thread__order=order_id, is_invoice=True)
        earlier = left.aggregate(last=Max("written_at"))["last"]
        services.one(services.take_back_invoice(order_id, earlier, by=by, at=at))
    messages_taken_back.send(sender=Message, told=[told], by=by, at=at)
    return message.body


def _own_unseen(message_id: int, *, by: Actor, at: datetime) -> Message:
    """One's own message, locked with its notices, while nobody has seen it.

    Who waited for the lock may be late by then: what was taken to be mailed, or read, is out, whatever `at` says.
    """
    message = Message.objects.select_for_update().get(id=message_id)
    if message.role != by.role.value or message.user_id != by.user_id:
        raise _refuse(Code.NOT_ALLOWED, message_id)
    mailed = any(one.tries or one.sent_at for one in message.notices.select_for_update())
    read = any(getattr(message, column) for role, column in _READ.items() if role != by.role)
    if at >= message.visible_at or mailed or read:
        raise _refuse(Code.SENT_ALREADY, message_id)
    return message


def _waits_again(thread: Thread, message: Message) -> None:
    """What a message had answered waits again, unless another that was written since answers it."""
    for role, whom in ((Role.CUSTOMER, "to_customer"), (Role.OPERATOR, "to_operator")):
        answers = thread.messages.filter(
            role=Role.SELLER.value, misdirected=False, id__gt=message.id, **{whom: True}
        )
        asked = thread.messages.filter(role=role.value, answered_at=message.written_at, id__lt=message.id)
        asked.update(answered_at=answers.order_by("id").values_list("written_at", flat=True).first())


@transaction.atomic
def needs_no_answer(message_id: int, *, despite_incident: bool = False, by: Actor, at: datetime) -> None:
    """Say that a message expects no answer: it waits no more, and its clock stops (MSG-08).

    While an incident is open on its order, only who has been told so says it, with `despite_incident`. Raises
    MoveRefused: `not_allowed`, `open_incident`, `nothing_to_answer` when it waits no more.
    """
    if by.role != Role.SELLER or not by.may(Right.ANSWER):
        raise _refuse(Code.NOT_ALLOWED, message_id)
    thread = _locked(Message.objects.values_list("thread_id", flat=True).get(id=message_id))
    held = Hold.objects.filter(order=thread.order, kind=HoldKind.INCIDENT, released_at=None)
    open_incident = thread.order is not None and held.exists()
    if open_incident and not despite_incident:
        raise _refuse(Code.OPEN_INCIDENT, message_id)
    if not thread.messages.filter(WAITS, id=message_id).update(needs_no_answer=True):
        raise _refuse(Code.NOTHING_TO_ANSWER, message_id)
    _mirror(thread)
    nothing_waits.send(
        sender=Message, thread_ids=[thread.id], despite_incident=despite_incident, by=by, at=at
    )


def answered_by_act(thread_id: int, *, at: datetime) -> None:
    """What waits in a thread for the shop was answered by what the shop did, of which those who asked are told."""
    thread = _locked(thread_id)
    if thread.messages.filter(WAITS).update(answered_at=at):
        _mirror(thread)


def read(thread_ids: Sequence[int], *, by: Actor, at: datetime) -> int:
    """Note that somebody has read what was written to them; answers how many messages were new to them."""
    column = _READ.get(by.role)
    if column is None:
        return 0
    rows = Message.objects.filter(
        readable_by(by.role),
        thread_id__in=list(thread_ids),
        visible_at__lte=at,
        **{f"{column}__isnull": True},
    )
    return rows.exclude(role=by.role.value).update(**{column: at})


@transaction.atomic
def seen(thread_id: int, *, by: Actor, at: datetime) -> int:
    """Note that an operator has seen to what was written to them in a conversation: it waits for them no more.

    Opening it is not enough for that: what nobody answered stays in their list. Answers how many messages it was.
    """
    thread = _locked(thread_id)
    n = read([thread_id], by=by, at=at)
    _mirror(thread)
    waits_changed.send(sender=Message, thread_ids=[thread_id])
    return n

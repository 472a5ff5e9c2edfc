"""Conversations: whom a message is for, who sees it, who is told, and what waits for an answer."""

from datetime import timedelta

import pytest

from marketplace import clocks
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import conversing
from messaging.conversing import TAKE_BACK, Words
from messaging.models import Message, Notice, Thread
from messaging.recipients import CUSTOMER, CUSTOMER_AND_OPERATOR, OPERATOR, SHOP, To, readable_by
from orders.models import Order
from sellers.desk import Actor
from tests.conftest import AT, SELLER, Placing

pytestmark = pytest.mark.django_db

ANA = Actor(Role.CUSTOMER, "Ana")
OLGA = Actor(Role.OPERATOR, "Olga")


def now[Row: (Message, Thread)](row: Row) -> Row:
    """A row as it stands now."""
    row.refresh_from_db()
    return row


def asked(order: Order, *, by: Actor = ANA, to: To = SHOP) -> Message:
    """A first message about an order, for the shop unless said otherwise."""
    return conversing.start(order.shop, Words("¿Cuándo llega?"), to=to, order=order, by=by, at=AT)


@pytest.mark.parametrize(
    ("by", "to", "readers", "told"),
    [
        pytest.param(SELLER, OPERATOR, {Role.SELLER, Role.OPERATOR}, {"operator"}, marks=pytest.mark.rule("MSG-03")),
        pytest.param(
            SELLER, CUSTOMER, {Role.SELLER, Role.OPERATOR, Role.CUSTOMER}, {"customer"},
            marks=pytest.mark.rule("MSG-04"),
        ),
        pytest.param(
            SELLER, CUSTOMER_AND_OPERATOR, {Role.SELLER, Role.OPERATOR, Role.CUSTOMER}, {"customer", "operator"},
            marks=pytest.mark.rule("MSG-05"),
        ),
        pytest.param(
            ANA, SHOP, {Role.SELLER, Role.OPERATOR, Role.CUSTOMER}, {"seller"}, marks=pytest.mark.rule("MSG-01")
        ),
        pytest.param(OLGA, SHOP, {Role.SELLER, Role.OPERATOR}, {"seller"}, marks=pytest.mark.rule("MSG-01")),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("olga")
def test_who_reads_a_message_and_who_is_told_of_it(
    by: Actor, to: To, readers: set[Role], told: set[str], place: Placing
) -> None:
    message = asked(place(), by=by, to=to)
    assert {
        role for role in Role if role != Role.PLATFORM and Message.objects.filter(readable_by(role)).exists()
    } == readers
    assert set(Notice.objects.filter(of_message=message).values_list("audience", flat=True)) == told


@pytest.mark.rule("MSG-09")
def test_what_a_customer_asks_waits_for_an_answer_in_working_hours(place: Placing) -> None:
    order = place()
    message = asked(order)
    thread = Thread.objects.get()
    span = order.policy.rules.answer_within.span
    assert (
        thread.answer_by
        == message.answer_by
        == clocks.deadline(message.visible_at, span, order.channel.calendar)
    )
    assert thread.waiting == 1
    later = AT + timedelta(hours=1)
    conversing.write(thread.id, Words("Solo para ti"), to=OPERATOR, by=SELLER, at=later)
    assert now(thread).waiting == 1
    conversing.write(thread.id, Words("El jueves"), to=CUSTOMER, by=SELLER, at=later)
    assert (now(thread).waiting, now(thread).answer_by, now(message).answered_at) == (0, None, later)


@pytest.mark.rule("MSG-08")
def test_what_expects_no_answer_is_taken_off_the_list(place: Placing) -> None:
    message = asked(place())
    conversing.needs_no_answer(message.id, by=SELLER, at=AT)
    thread = Thread.objects.get()
    assert (thread.waiting, thread.answer_by) == (0, None)
    with pytest.raises(MoveRefused) as refused:
        conversing.needs_no_answer(message.id, by=SELLER, at=AT)
    assert refused.value.refusal.code == Code.NOTHING_TO_ANSWER


@pytest.mark.rule("MSG-06")
def test_what_was_just_sent_can_be_taken_back_with_its_notice(place: Placing) -> None:
    question = asked(place())
    thread = Thread.objects.get()
    answer = conversing.write(thread.id, Words("Mañana"), to=CUSTOMER, by=SELLER, at=AT + timedelta(hours=1))
    assert (
        Notice.objects.get(of_message=answer).due_at
        == answer.visible_at
        == AT + timedelta(hours=1) + TAKE_BACK
    )
    assert conversing.take_back(answer.id, by=SELLER, at=answer.written_at) == "Mañana"
    assert not Notice.objects.filter(audience="customer", event="message").exists()
    assert (now(thread).waiting, now(thread).messages_count, now(question).answered_at) == (1, 1, None)


@pytest.mark.rule("MSG-06")
def test_what_others_can_see_cannot_be_taken_back(place: Placing) -> None:
    message = asked(place())
    with pytest.raises(MoveRefused) as refused:
        conversing.take_back(message.id, by=ANA, at=message.visible_at)
    assert refused.value.refusal.code == Code.SENT_ALREADY
    with pytest.raises(MoveRefused) as refused:
        conversing.take_back(message.id, by=SELLER, at=AT)
    assert refused.value.refusal.code == Code.NOT_ALLOWED
    assert Message.objects.get() == message


@pytest.mark.rule("MSG-02")
@pytest.mark.parametrize(
    ("by", "to", "body", "code"),
    [
        (SELLER, CUSTOMER, "  \n ", Code.EMPTY_MESSAGE),
        (SELLER, CUSTOMER, "x" * 10_001, Code.TOO_LONG),
        (SELLER, SHOP, "Hola", Code.NO_SUCH_RECIPIENT),
        (SELLER, To(), "Hola", Code.NO_SUCH_RECIPIENT),
        (SELLER, To(supplier=True), "Hola", Code.NO_SUCH_RECIPIENT),
        (ANA, CUSTOMER, "Hola", Code.NO_SUCH_RECIPIENT),
        (Actor(Role.SELLER, "Rita", rights=frozenset()), CUSTOMER, "Hola", Code.NOT_ALLOWED),
    ],
)
def test_a_message_that_cannot_be_sent_leaves_nothing(
    by: Actor, to: To, body: str, code: Code, place: Placing
) -> None:
    order = place()
    with pytest.raises(MoveRefused) as refused:
        conversing.start(order.shop, Words(body), to=to, order=order, by=by, at=AT)
    assert refused.value.refusal.code == code
    assert not Thread.objects.exists()
    assert not Notice.objects.filter(event="message").exists()

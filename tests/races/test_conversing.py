"""Two at one conversation: two answers, taking back against the moment of release, letting be against answering.

Each with a control: without the lock of the thread it goes wrong.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connections
from django.db.models import Q

from marketplace import outbox
from marketplace.policy import Role
from marketplace.refusals import MoveRefused
from messaging import conversing
from messaging.conversing import TAKE_BACK, Words
from messaging.models import Message, Notice
from messaging.models import Thread as Conversation
from messaging.recipients import CUSTOMER, SHOP
from orders import services
from orders.models import Order
from sellers.desk import Actor
from tests.conftest import AT, SELLER, basket
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(12, 300)
ANA = Actor(Role.CUSTOMER, "Ana Soler")
LATER = AT + timedelta(hours=1)

type Side = Callable[[Message], object]


def questions(ground: Ground) -> list[Message]:
    """A customer's question on an order of its own, a round."""
    baskets = [basket(ground.shop, number=f"R-{n}") for n in range(ROUNDS)]
    ids = [move.order_id for move in services.place(ground.channel, baskets).moved]
    orders = Order.objects.select_related("shop", "policy", "channel").in_bulk(ids)
    return [
        conversing.start(
            ground.shop, Words("¿Cuándo?"), to=SHOP, order=orders[key], take_back=False, by=ANA, at=AT
        )
        for key in ids
    ]


def race(messages: list[Message], *sides: Side) -> list[list[str]]:
    """Let both sides at each message at once; answers how each ended, by round."""
    start = Barrier(2, timeout=60)
    ends: list[list[str]] = [[], []]

    def run(n: int) -> None:
        try:
            for message in messages:
                start.wait()
                try:
                    sides[n](message)
                    ends[n].append("done")
                except MoveRefused as refused:
                    ends[n].append(refused.refusal.code)
                except Message.DoesNotExist:
                    ends[n].append("gone")
                except IntegrityError:
                    ends[n].append("torn")
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [list(pair) for pair in zip(*ends, strict=True)]


def answer(message: Message) -> None:
    conversing.write(message.thread_id, Words("El jueves"), to=CUSTOMER, by=SELLER, at=LATER)


def let_be(message: Message) -> None:
    conversing.needs_no_answer(message.id, by=SELLER, at=LATER)


def torn() -> int:
    """How many conversations say of themselves what their messages do not."""
    wrong = 0
    for thread in Conversation.objects.all():
        rows = list(thread.messages.defer("words"))
        waiting = sum(
            one.answer_by is not None and one.answered_at is None and not one.needs_no_answer for one in rows
        )
        wrong += (thread.messages_count, thread.waiting) != (len(rows), waiting)
    return wrong


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the control: the thread is read and not locked, and each side goes on only when both have read."""
    both_have_read = Barrier(2, timeout=60)

    def reading(thread_id: int) -> Conversation:
        rows = Conversation.objects.select_related(
            "shop", "order__policy", "order__channel", "supplier", "channel__policy"
        )
        found = rows.get(id=thread_id)
        both_have_read.wait()
        return found

    monkeypatch.setattr(conversing, "_locked", reading)


def mirroring_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the control: both count their messages before either has written its count down."""
    both_have_counted, mirror = Barrier(2, timeout=60), conversing._mirror

    def counting(thread: Conversation) -> None:
        save = thread.save

        def later(**what: Any) -> None:
            both_have_counted.wait()
            save(**what)

        thread.save = later  # type: ignore[method-assign]
        mirror(thread)

    monkeypatch.setattr(conversing, "_mirror", counting)


@pytest.mark.rule("MSG-09")
def test_two_answers_at_once_are_both_counted(ground: Ground) -> None:
    ended = race(questions(ground), answer, answer)
    assert ended == [["done", "done"]] * ROUNDS
    assert torn() == 0
    assert set(Conversation.objects.values_list("messages_count", "waiting")) == {(3, 0)}


def test_control_two_answers_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who answer what was answered already, neither sees the other's message when it counts."""
    answered = answers(ground)
    without_the_lock(monkeypatch)
    mirroring_at_once(monkeypatch)
    race(answered, answer, answer)
    assert torn() == ROUNDS


@pytest.mark.rule("MSG-08")
def test_what_needs_no_answer_is_not_answered_too(ground: Ground) -> None:
    ended = race(questions(ground), let_be, answer)
    assert torn() == 0
    for let_be_ended, answered in ended:
        assert answered == "done"
        assert let_be_ended in ("done", "nothing_to_answer")
    needless = Message.objects.filter(needs_no_answer=True).count()
    assert needless == Counter(first for first, _second in ended)["done"]
    assert not Message.objects.filter(needs_no_answer=True, answered_at__isnull=False).exists()


def test_control_needs_no_answer_without_looking_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes down what they saw before they waited is stopped by the second wall, a constraint."""
    asked = questions(ground)
    monkeypatch.setattr(conversing, "WAITS", Q())
    ended = race(asked, let_be, answer)
    assert [sorted(pair) for pair in ended] == [["done", "torn"]] * ROUNDS


def answers(ground: Ground) -> list[Message]:
    """An answer of the shop a round, to be seen ten seconds later."""
    asked = questions(ground)
    outbox.claim(Notice, due_by=LATER, at=LATER, count=10_000, lease=timedelta(days=1))
    return [
        conversing.write(one.thread_id, Words("Mañana"), to=CUSTOMER, by=SELLER, at=LATER) for one in asked
    ]


def back(message: Message) -> None:
    conversing.take_back(message.id, by=SELLER, at=LATER + TAKE_BACK - timedelta(microseconds=1))


def both(sent: list[Message]) -> tuple[int, int, list[list[str]]]:
    """Take back at the last moment while the mails of the first one go out: how often it was mailed and taken back,
    how often neither, and how each round ended."""
    claimed: set[int] = set()
    release = LATER + TAKE_BACK

    def mail(message: Message) -> None:
        taken = outbox.claim(Notice, due_by=release, at=release, count=1, lease=timedelta(days=1))
        claimed.update(one.of_message_id or 0 for one in taken)

    ended = race(sent, back, mail)
    there = set(Message.objects.values_list("id", flat=True))
    rounds_of = [(one.id in claimed, one.id in there) for one in sent]
    return rounds_of.count((True, False)), rounds_of.count((False, True)), ended


@pytest.mark.rule("MSG-06")
def test_what_is_mailed_is_not_taken_back(ground: Ground) -> None:
    """Who takes back in time but waits for the lock is late: the mail is on its way."""
    mailed_and_gone, neither, ended = both(answers(ground))
    assert (mailed_and_gone, neither, torn()) == (0, 0, 0)
    assert {first for first, _second in ended} <= {"done", "sent_already"}
    assert {second for _first, second in ended} == {"done"}


def test_control_taking_back_without_a_look_at_the_mails(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing but the clock to go by, what the other side has just taken to be mailed is deleted under it."""

    def by_the_clock(message_id: int, *, by: Actor, at: datetime) -> Message:
        mailing.wait()
        mailed.wait()
        return Message.objects.get(id=message_id)

    sent = answers(ground)
    mailing, mailed = Barrier(2, timeout=60), Barrier(2, timeout=60)
    claim = outbox.claim

    def claiming(*args: Any, **told: Any) -> Any:
        mailing.wait()
        taken = claim(*args, **told)
        mailed.wait()
        return taken

    monkeypatch.setattr(conversing, "_own_unseen", by_the_clock)
    monkeypatch.setattr(outbox, "claim", claiming)
    assert both(sent)[0] == ROUNDS


@pytest.mark.rule("MSG-06")
def test_taken_back_twice_at_once_is_taken_back_once(ground: Ground) -> None:
    sent = answers(ground)
    ended = race(sent, back, back)
    assert [sorted(pair) for pair in ended] == [["done", "gone"]] * ROUNDS
    assert torn() == 0
    assert set(Conversation.objects.values_list("messages_count", "waiting")) == {(1, 1)}


def test_control_taken_back_twice_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = answers(ground)
    without_the_lock(monkeypatch)
    monkeypatch.setattr(conversing, "_own_unseen", lambda key, **told: Message.objects.get(id=key))
    both_have_read, told = Barrier(2, timeout=60), conversing._told

    def telling(*args: Any) -> Any:
        both_have_read.wait()
        return told(*args)

    monkeypatch.setattr(conversing, "_told", telling)
    ended = race(sent, back, back)
    assert ended == [["done", "done"]] * ROUNDS

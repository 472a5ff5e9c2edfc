"""Two of a shop write to a supplier, or note the same, at once: one conversation, one note."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from marketplace.refusals import Code, MoveRefused
from messaging import conversing, noting, talks
from messaging.models import Message, OrderNote
from messaging.models import Thread as Talk
from orders import services
from orders.models import Order
from sellers.models import Supplier
from tests.conftest import AT, SELLER, basket
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(10, 300)


def both(act: Callable[[int], object]) -> Counter[str]:
    """How both sides ended, over all rounds."""
    start, ends = Barrier(2, timeout=60), Counter[str]()

    def run() -> None:
        try:
            for number in range(ROUNDS):
                start.wait()
                try:
                    act(number)
                    ends["done"] += 1
                except MoveRefused as refused:
                    ends[refused.refusal.code] += 1
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.fixture
def orders(ground: Ground) -> list[Order]:
    services.place(ground.channel, [basket(ground.shop) for _ in range(ROUNDS)])
    return list(Order.objects.select_related("shop", "policy", "channel").order_by("id"))


@pytest.fixture
def norte(ground: Ground) -> Supplier:
    return Supplier.objects.create(shop=ground.shop, code="norte", name="Talleres Norte")


def write(orders: list[Order], norte: Supplier) -> Callable[[int], object]:
    words = conversing.Words("Hola")
    return lambda number: talks.write_to_supplier(orders[number], norte, words, by=SELLER, at=AT)


def note(orders: list[Order]) -> Callable[[int], object]:
    return lambda number: noting.add_note(orders[number].pk, "Llamó", public=False, by=SELLER, at=AT)


@pytest.mark.rule("ROL-04")
def test_two_first_messages_begin_one_conversation(orders: list[Order], norte: Supplier) -> None:
    assert both(write(orders, norte)) == {"done": 2 * ROUNDS}
    assert (Talk.objects.count(), Message.objects.count()) == (ROUNDS, 2 * ROUNDS)


def test_control_two_first_messages_without_the_lock(
    orders: list[Order], norte: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read, thread_with = Barrier(2, timeout=60), talks.thread_with

    def reading(order: Order, supplier: Supplier) -> Talk | None:
        found = thread_with(order, supplier)
        both_have_read.wait()
        return found

    monkeypatch.setattr(talks, "_one_at_a_time", lambda order: None)
    monkeypatch.setattr(talks, "thread_with", reading)
    assert both(write(orders, norte)) == {"done": 2 * ROUNDS}
    assert Talk.objects.count() == 2 * ROUNDS


@pytest.mark.rule("MSG-11")
def test_two_clicks_at_once_are_one_note(orders: list[Order]) -> None:
    assert both(note(orders)) == {"done": ROUNDS, Code.DUPLICATE: ROUNDS}
    assert OrderNote.objects.count() == ROUNDS


def test_control_two_clicks_at_once_without_the_lock(
    orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read, made = Barrier(2, timeout=60), noting._note

    def making(*row: Any) -> OrderNote:
        both_have_read.wait()
        return made(*row)

    monkeypatch.setattr(noting, "_locked", lambda order_id: Order.objects.get(id=order_id))
    monkeypatch.setattr(noting, "_note", making)
    assert both(note(orders)) == {"done": 2 * ROUNDS}
    assert OrderNote.objects.count() == 2 * ROUNDS

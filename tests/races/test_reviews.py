"""A customer reviews in two windows, two of a shop remind at once: it counts one time."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections

from marketplace.refusals import Code, MoveRefused
from orders.models import Order
from orders.states import State
from quality import services
from quality.models import Review, ReviewRequest, Score
from tests.conftest import AT, CUSTOMER, SELLER
from tests.orders.lives import brought_to
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(20, 500)


def both(act: Callable[[Order], object], orders: list[Order]) -> Counter[str]:
    """How both sides ended, over all rounds; each round has an order of its own."""
    start, ends = Barrier(2, timeout=60), Counter[str]()

    def run() -> None:
        try:
            for order in orders:
                start.wait()
                try:
                    act(order)
                    ends["done"] += 1
                except MoveRefused as refused:
                    ends[refused.refusal.code] += 1
                except IntegrityError:
                    ends["torn"] += 1
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.fixture
def delivered(ground: Ground) -> list[Order]:
    """Orders that customers have, of which they were asked for a review."""
    ids = brought_to(State.DELIVERED, ground.channel, ground.shop, ROUNDS)
    ReviewRequest.objects.update(ask_at=None, asked_at=AT)
    return list(Order.objects.filter(id__in=ids).select_related("shop").order_by("id"))


def review(order: Order) -> object:
    return services.write_review(order, 5, "", by=CUSTOMER, at=AT)


def remind(order: Order) -> object:
    return services.remind(order, "¿Qué tal?", by=SELLER, at=AT)


@pytest.mark.rule("REV-03")
def test_a_review_written_twice_at_once_counts_once(ground: Ground, delivered: list[Order]) -> None:
    assert both(review, delivered) == {"done": ROUNDS, Code.DUPLICATE: ROUNDS}
    assert Review.objects.count() == ROUNDS
    assert Score.objects.values_list("reviews_count", "stars_sum").get() == (ROUNDS, 5 * ROUNDS)


@pytest.mark.rule("REV-02")
def test_a_reminder_sent_twice_at_once_goes_out_once(ground: Ground, delivered: list[Order]) -> None:
    assert both(remind, delivered) == {"done": ROUNDS, Code.DUPLICATE: ROUNDS}


def test_control_a_review_written_twice_without_looking_again(
    ground: Ground, delivered: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall is the unique key: without the lock one of the two is answered with an error."""
    both_have_read = Barrier(2, timeout=60)

    def reading(order: Order) -> Order:
        found = Order.objects.select_related("shop").get(id=order.id)
        assert not Review.objects.filter(order=order).exists()
        both_have_read.wait()
        return found

    monkeypatch.setattr(services, "_standing", reading)
    ends = both(review, delivered)
    assert ends["torn"] + ends[Code.DUPLICATE] == ROUNDS
    assert ends["torn"] > 0

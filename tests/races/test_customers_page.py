"""A customer clicks twice, or in two windows: whichever was faster, both say what was done (CAN-02)."""

from collections import Counter
from threading import Barrier, Thread

import pytest
from django.db import connections
from django.test import Client

from orders.models import Event, Order
from orders.states import State, Verb
from tests.customer.links import path_of
from tests.orders.lives import brought_to
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(20, 300)


@pytest.mark.rule("CAN-02", "ROL-03")
def test_an_order_cancelled_in_two_windows_says_so_in_both(ground: Ground) -> None:
    waiting = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    pages = [path_of(order) for order in Order.objects.filter(id__in=waiting)]
    start, answers = Barrier(2, timeout=60), Counter[str]()

    def clicks() -> None:
        try:
            for page in pages:
                start.wait()
                answer = Client().post(f"{page}cancelar/")
                answers[f"{answer.status_code} {answer.headers.get('Location', '').partition('?')[2]}"] += 1
        finally:
            connections.close_all()

    threads = [Thread(target=clicks) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"303 hecho=cancelado": 2 * ROUNDS}
    assert Event.objects.filter(verb=Verb.CANCEL).count() == ROUNDS
    assert not Order.objects.exclude(state=State.CANCELLED).exists()

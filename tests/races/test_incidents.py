"""Two at one incident: solved while it is sent back, closed while somebody writes, opened while its order is received.

What is said in a conversation takes no lock of its order, so that control takes away every lock and has both sides
decide when both have read.
"""

import threading
from typing import Any

import pytest
from django.db import models

from incidents import services
from incidents.models import Incident
from incidents.services import following, moving
from marketplace import bulk
from marketplace.refusals import MoveRefused, Outcome
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import SHOP
from orders import services as orders
from orders.models import Line, Order
from orders.states import State, Verb
from tests.conftest import CLOCK, CUSTOMER, OPERATOR, SELLER
from tests.incidents.claims import ARRIVED, BROKEN, DAY, DELIVERED_AT
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import PATIENCE_S, take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import Race, breaks, run
from tests.rounds import rounds, soaks

pytestmark = soaks
ROUNDS = rounds(30, 1000)

AT = DELIVERED_AT + 2 * DAY


def told(act: Any) -> Outcome[Any]:
    """What an act on one incident came to, as a race counts it."""
    try:
        return Outcome([act()])
    except MoveRefused as refused:
        return Outcome([], [refused.refusal])


def resolved(ground: Ground) -> tuple[list[int], dict[int, Incident]]:
    """So many delivered orders, each with an incident that the shop has resolved."""
    ids = brought_to(State.DELIVERED, ground.channel, ground.shop, ROUNDS)
    lines = dict(Line.objects.filter(sku="JAR-AZUL").values_list("order_id", "id"))
    found = {}
    for order_id in ids:
        line = [lines[order_id]]
        one = services.open_incident(order_id, line, reason=BROKEN, by=CUSTOMER, at=AT - DAY)
        found[order_id] = services.resolve(one.id, reason=ARRIVED, by=SELLER, at=AT - HOUR)
    return ids, found


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as before, and lock nothing; the closing side and the writing side decide when both have read."""
    both_have_read = threading.Barrier(2, timeout=PATIENCE_S)
    locking, judge, mirror = bulk._select_for_update, moving.judge, following.mirror

    def select(model: type[models.Model], skip_locked: bool) -> bytes:
        return locking(model, False).removesuffix(b" FOR NO KEY UPDATE")

    def judged(*args: Any, **wishes: Any) -> Any:
        both_have_read.wait()
        return judge(*args, **wishes)

    def mirrored(*args: Any) -> None:
        both_have_read.wait()
        mirror(*args)

    monkeypatch.setattr(bulk, "_select_for_update", select)
    monkeypatch.setattr(models.QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(moving, "judge", judged)
    monkeypatch.setattr(following, "mirror", mirrored)


TORN = """
    SELECT i.order_id FROM incidents_incident i
      JOIN messaging_thread t ON t.id = i.thread_id JOIN orders_order o ON o.id = i.order_id
     WHERE (i.state <> 'closed') <> (o.incident_at IS NOT NULL) OR i.messages_count <> t.messages_count
        OR (SELECT count(*) FROM messaging_message m WHERE m.thread_id = t.id) <> t.messages_count
        OR (i.state = 'resolved') <> (i.close_due_at IS NOT NULL)
"""


@pytest.fixture
def reopening(ground: Ground) -> tuple[Race, list[int]]:
    """The operator sends back what the shop says once more is solved: it is open, or solved after that."""
    ids, found = resolved(ground)

    def send_back(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: services.send_back(found[order_id].id, reason="No", by=OPERATOR, at=AT))

    def resolve(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: services.resolve(found[order_id].id, reason=ARRIVED, by=SELLER, at=AT))

    back, solved = Verb.INCIDENT_SENT_BACK.value, Verb.INCIDENT_RESOLVED.value
    legal = {(True, False, (back,)), (True, True, (back, solved))}
    return Race(State.DELIVERED, send_back, resolve, lambda number: legal, TORN), ids


@pytest.fixture
def closing(ground: Ground) -> tuple[Race, list[int]]:
    """The operator closes what they have read while the customer writes: never over words that they had not seen."""
    ids, found = resolved(ground)

    def close(number: int, order_id: int) -> Outcome[Any]:
        one = found[order_id]
        return services.close([one.id], seen={one.id: 1}, by=OPERATOR, at=AT)

    def write(number: int, order_id: int) -> Outcome[Any]:
        words, thread = Words("Sigue roto"), found[order_id].thread_id
        return told(lambda: conversing.write(thread, words, to=SHOP, by=CUSTOMER, at=AT))

    legal = {(True, True, (Verb.INCIDENT_CLOSED.value,)), (False, True, ())}
    return Race(State.DELIVERED, close, write, lambda number: legal, TORN), ids


@pytest.fixture
def receiving(ground: Ground) -> tuple[Race, list[int]]:
    """The clock receives an order while its customer opens an incident: either way nothing of it is settled."""
    ids = brought_to(State.DELIVERED, ground.channel, ground.shop, ROUNDS)
    lines = dict(Line.objects.filter(sku="JAR-AZUL").values_list("order_id", "id"))
    at = Order.objects.get(id=ids[0]).receive_at
    assert at is not None

    def receive(number: int, order_id: int) -> Outcome[Any]:
        return orders.receive([order_id], skip_locked=number % 2 == 0, by=CLOCK, at=at)

    def claim(number: int, order_id: int) -> Outcome[Any]:
        line = [lines[order_id]]
        return told(lambda: services.open_incident(order_id, line, reason=BROKEN, by=OPERATOR, at=at))

    received, opened = Verb.RECEIVE.value, Verb.INCIDENT_OPENED.value
    legal = {(True, True, (received, opened)), (False, True, (opened,))}
    torn = "SELECT id FROM orders_order WHERE (state = 'received') <> (received_at IS NOT NULL) OR incident_at IS NULL"
    return Race(State.DELIVERED, receive, claim, lambda number: legal, torn), ids


@pytest.mark.rule("INC-05")
def test_what_is_sent_back_is_open_until_it_is_solved_again(reopening: tuple[Race, list[int]]) -> None:
    verdict = run(*reopening)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert verdict.winners["left"], verdict
    assert verdict.winners["both"], verdict


def test_control_resolve_and_send_back_without_the_lock(
    reopening: tuple[Race, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_the_lock_away(monkeypatch)
    monkeypatch.setattr(moving, "judge", lambda *args, **wishes: None)
    breaks(run(*reopening))


@pytest.mark.rule("INC-05", "INC-08")
def test_nobody_closes_over_a_message_that_comes_at_that_moment(closing: tuple[Race, list[int]]) -> None:
    verdict = run(*closing)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert verdict.winners["right"], verdict
    assert verdict.winners["both"], verdict


def test_control_close_and_write_without_the_lock(
    closing: tuple[Race, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    breaks(run(*closing))


@pytest.mark.rule("INC-07", "SHP-08")
def test_an_incident_that_comes_with_the_receipt_holds_the_settlement(
    receiving: tuple[Race, list[int]],
) -> None:
    verdict = run(*receiving)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert verdict.winners["right"], verdict
    assert verdict.winners["both"], verdict


def test_control_receive_and_open_without_the_lock(
    receiving: tuple[Race, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_the_lock_away(monkeypatch)
    breaks(run(*receiving))

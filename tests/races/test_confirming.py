"""The shop and the operator confirm one ticket at the same moment: the customer is told once."""

from typing import Any

import pytest

from marketplace.refusals import Outcome
from messaging.models import Notice
from orders import services
from orders.models import Line
from orders.states import State, Verb
from tests.conftest import AT, OPERATOR, SELLER
from tests.orders.digital import TICKET
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import broken_invariants, take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import ROUNDS, Race, breaks, either, holds, run
from tests.rounds import soaks

pytestmark = soaks


def _confirm_twice() -> Race:
    tickets = dict(Line.objects.values_list("order_id", "id"))

    def owner(number: int, order_id: int) -> Outcome[Any]:
        return services.fulfil({order_id: {tickets[order_id]: "Puerta 1"}}, by=SELLER, at=AT + 2 * HOUR)

    def operator(number: int, order_id: int) -> Outcome[Any]:
        return services.fulfil({order_id: {tickets[order_id]: "Puerta 2"}}, by=OPERATOR, at=AT + 2 * HOUR)

    return Race(
        State.AWAITING_SHIPMENT,
        owner,
        operator,
        lambda number: either(Verb.FULFIL, Verb.FULFIL),
        """
        SELECT o.id FROM orders_order o JOIN orders_line l ON l.order_id = o.id
          LEFT JOIN messaging_notice n ON n.order_id = o.id AND n.event = 'fulfil'
         WHERE o.state <> 'delivered' OR o.confirmed_at IS NULL OR o.to_confirm <> 0
            OR n.payload -> 'confirmed' -> 0 ->> 'access' IS DISTINCT FROM l.access
        """,
    )


@pytest.mark.rule("ORD-13")
def test_a_ticket_confirmed_by_two_at_once_is_confirmed_once(ground: Ground) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS, articles=(TICKET,))
    holds(run(_confirm_twice(), orders))
    assert Notice.objects.filter(event="fulfil").count() == ROUNDS


def test_control_two_confirmations_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS, articles=(TICKET,))
    take_the_lock_away(monkeypatch)
    breaks(run(_confirm_twice(), orders))
    assert "I7" in broken_invariants()

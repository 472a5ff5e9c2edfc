"""A request is granted while the order moves on, and one parcel is wanted for one order by two, or sent besides."""

from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Barrier
from typing import Any

import pytest
from django.db.models import Model

from marketplace import bulk
from marketplace.policy import Role
from marketplace.reasons import Why
from marketplace.refusals import Outcome
from orders import services
from orders.models import Order, Request
from orders.services import move
from orders.states import State, Verb
from refunds import redirecting
from refunds.models import Redirect
from sellers.models import Supplier
from tests.conftest import AT, OPERATOR, SELLER
from tests.orders.lives import HOUR, SEUR, brought_to
from tests.races.arena import PATIENCE_S, Ending, broken_invariants, race, take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import Race, breaks, holds, run
from tests.rounds import rounds, soaks

pytestmark = soaks
ROUNDS = rounds(30, 1000)
LATER = AT + 5 * HOUR


def _asked(ground: Ground) -> tuple[list[int], list[int]]:
    """Orders that a supplier prepares, each with a request to cancel it."""
    norte = Supplier.objects.create(shop=ground.shop, code="norte", name="Talleres Norte")
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS, served=(norte, norte))
    for order_id in orders:
        services.one(services.ask(order_id, Verb.CANCEL, reason=Why("customer-asks"), by=SELLER, at=LATER))
    by_order = dict(Request.objects.values_list("order_id", "id"))
    assert set(Request.objects.values_list("asked_of", flat=True)) == {Role.SUPPLIER}
    return orders, [by_order[order_id] for order_id in orders]


_TORN = """
    SELECT o.id FROM orders_order o JOIN orders_request r ON r.order_id = o.id
      LEFT JOIN orders_shipment s ON s.order_id = o.id
     WHERE o.open_requests <> 0 OR (r.state = 'approved') <> (o.state = 'cancelled')
        OR (o.state = 'cancelled') = (s.id IS NOT NULL)
"""


def _approve_or_ship(requests: Sequence[int]) -> Race:
    def approve(number: int, order_id: int) -> Outcome[Any]:
        return services.approve(requests[number], by=OPERATOR, at=LATER)

    def ship(number: int, order_id: int) -> Outcome[Any]:
        parcel = services.Parcel(carrier_name=SEUR, tracking="1")
        return services.ship({order_id: parcel}, by=SELLER, at=LATER)

    def legal(number: int) -> set[Ending]:
        return {
            (True, False, ("request_approved", "cancel")),
            (False, True, ("ship", "request_overtaken")),
        }

    return Race(State.AWAITING_SHIPMENT, approve, ship, legal, _TORN)


@pytest.mark.rule("ROL-05", "CAN-03")
def test_a_request_is_granted_or_the_parcel_leaves(ground: Ground) -> None:
    orders, requests = _asked(ground)
    holds(run(_approve_or_ship(requests), orders))


def test_control_granting_beside_shipping_without_the_lock(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, requests = _asked(ground)
    take_the_lock_away(monkeypatch)
    breaks(run(_approve_or_ship(requests), orders))


def _wanted(ground: Ground) -> tuple[list[int], list[int], list[int]]:
    """Two undelivered parcels a round, and the one order that both could go to."""
    failed = brought_to(State.EXCEPTION, ground.channel, ground.shop, 2 * ROUNDS)
    return (
        failed[:ROUNDS],
        failed[ROUNDS:],
        brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS),
    )


def _winners(order_ids: Sequence[int], left: Any, right: Any) -> tuple[Counter[str], list[Exception]]:
    ended = race(order_ids, left, right)
    return Counter(one.winner for one in ended), [error for one in ended for error in one.errors]


@pytest.mark.rule("EXC-04")
def test_two_parcels_for_one_order_are_one(ground: Ground) -> None:
    first, second, targets = _wanted(ground)
    winners, errors = _winners(
        targets,
        lambda n, target: redirecting.redirect(first[n], target, by=SELLER, at=LATER),
        lambda n, target: redirecting.redirect(second[n], target, by=OPERATOR, at=LATER),
    )
    assert not errors
    assert set(winners) == {"left", "right"}
    assert Redirect.objects.count() == ROUNDS
    assert broken_invariants() == []


@pytest.mark.rule("EXC-04")
def test_an_order_is_sent_its_own_parcel_or_another(ground: Ground) -> None:
    first, _second, targets = _wanted(ground)
    parcel = services.Parcel(carrier_name=SEUR, tracking="2")
    winners, errors = _winners(
        targets,
        lambda n, target: redirecting.redirect(first[n], target, by=SELLER, at=LATER),
        lambda n, target: services.ship({target: parcel}, by=OPERATOR, at=LATER),
    )
    assert not errors
    assert set(winners) == {"left", "right"}
    assert Redirect.objects.count() == winners["left"]
    assert broken_invariants() == []


def test_control_two_parcels_for_one_order_without_the_lock(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides look at the same moment and neither waits: keys of the database are the second wall."""
    first, second, targets = _wanted(ground)
    take_the_lock_away(monkeypatch)
    winners, errors = _winners(
        targets,
        lambda n, target: redirecting.redirect(first[n], target, by=SELLER, at=LATER),
        lambda n, target: redirecting.redirect(second[n], target, by=OPERATOR, at=LATER),
    )
    assert len(errors) + winners["both"] > ROUNDS / 2


def test_control_its_own_parcel_beside_another_without_the_lock(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two meet where each is about to send the order: both have read that nothing has left."""
    first, _second, targets = _wanted(ground)
    locking, lock_orders, wanted = bulk._select_for_update, move.lock_orders, set(targets)
    both_have_read = Barrier(2, timeout=PATIENCE_S)

    def select(model: type[Model], skip_locked: bool) -> bytes:
        return locking(model, False).removesuffix(b" FOR NO KEY UPDATE")

    def read_orders(order_ids: Iterable[int], **wishes: Any) -> list[Order]:
        ids = list(order_ids)
        rows = lock_orders(ids, **wishes)
        if wanted.intersection(ids):
            both_have_read.wait()
        return rows

    monkeypatch.setattr(bulk, "_select_for_update", select)
    monkeypatch.setattr(move, "lock_orders", read_orders)
    parcel = services.Parcel(carrier_name=SEUR, tracking="2")
    winners, errors = _winners(
        targets,
        lambda n, target: redirecting.redirect(first[n], target, by=SELLER, at=LATER),
        lambda n, target: services.ship({target: parcel}, by=OPERATOR, at=LATER),
    )
    assert len(errors) + winners["both"] > ROUNDS / 2

"""Who fulfils a line is changed while they hand it over: one of the two wins (ROL-04)."""

from typing import Any

import pytest

from marketplace.refusals import Outcome
from orders import services
from orders.models import Line
from orders.states import State, Verb
from sellers.models import Supplier
from tests.conftest import AT, OPERATOR, actor_of
from tests.orders.lives import HOUR, SEUR, brought_to
from tests.races.arena import take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import ROUNDS, Race, breaks, either, holds, run
from tests.rounds import soaks

pytestmark = soaks


@pytest.fixture
def contest(ground: Ground) -> tuple[Race, list[int]]:
    """The jar is a supplier's; the seller gives it to another while the first ships it. The plate is the seller's."""
    norte, sur = (
        Supplier.objects.create(shop=ground.shop, code=code, name=code) for code in ("norte", "sur")
    )
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS, served=[norte])
    jars = dict(Line.objects.filter(sku="JAR-AZUL").values_list("order_id", "id"))
    by = actor_of(norte)

    def assign(number: int, order_id: int) -> Outcome[Any]:
        return services.assign({order_id: {jars[order_id]: sur.id}}, by=OPERATOR, at=AT + 2 * HOUR)

    def ship(number: int, order_id: int) -> Outcome[Any]:
        parcel = services.Parcel(carrier_name=SEUR, tracking="1")
        return services.ship({order_id: parcel}, by=by, at=AT + 2 * HOUR)

    torn = f"SELECT order_id FROM orders_line WHERE shipped_quantity > 0 AND supplier_id = {sur.id}"
    race = Race(
        State.AWAITING_SHIPMENT, assign, ship, lambda number: either(Verb.ASSIGN, Verb.HAND_OVER), torn
    )
    return race, orders


@pytest.mark.rule("ROL-04")
def test_a_line_is_not_taken_from_whoever_hands_it_over(contest: tuple[Race, list[int]]) -> None:
    holds(run(*contest))


def test_control_assign_and_ship_without_the_lock(
    contest: tuple[Race, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_the_lock_away(monkeypatch)
    breaks(run(*contest))

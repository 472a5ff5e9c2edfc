"""One of the shop hands everything over while another says that a unit is missing: what is charged is what left."""

from typing import Any

import pytest

from marketplace.refusals import Outcome
from orders import services
from orders.models import Line
from orders.states import State, Verb
from tests.conftest import AT, SELLER
from tests.orders.lives import HOUR, SEUR, brought_to
from tests.races.arena import broken_invariants, take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import ROUNDS, Race, breaks, run
from tests.rounds import soaks

pytestmark = soaks


def _ship_or_shorten() -> Race:
    jars = dict(Line.objects.filter(sku="JAR-AZUL").values_list("order_id", "id"))

    def ship(number: int, order_id: int) -> Outcome[Any]:
        parcel = services.Parcel(carrier_name=SEUR, tracking="1")
        return services.ship({order_id: parcel}, by=SELLER, at=AT + 2 * HOUR)

    def shorten(number: int, order_id: int) -> Outcome[Any]:
        return services.shorten({order_id: {jars[order_id]: 1}}, by=SELLER, at=AT + 2 * HOUR)

    return Race(
        State.AWAITING_SHIPMENT,
        ship,
        shorten,
        lambda number: {
            (True, False, (Verb.SHIP.value,)),
            (True, True, (Verb.SHORTEN.value, Verb.SHIP.value)),
        },
        """
        SELECT o.id FROM orders_order o JOIN orders_line l ON l.order_id = o.id
          LEFT JOIN (SELECT c.line_id, sum(c.quantity) AS units FROM orders_shipmentline c GROUP BY 1) p
                 ON p.line_id = l.id
         GROUP BY o.id
        HAVING o.total_cents <> sum(l.goods_cents + l.shipping_cents) FILTER (WHERE l.decision = 'accepted')
            OR bool_or(l.decision = 'accepted' AND l.quantity IS DISTINCT FROM p.units)
            OR bool_or(l.decision = 'refused' AND p.units IS NOT NULL)
        """,
    )


@pytest.mark.rule("ORD-06", "SHP-03")
def test_what_is_missing_has_not_left(ground: Ground) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS)
    verdict = run(_ship_or_shorten(), orders)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert all(verdict.winners[side] for side in ("left", "both")), verdict
    assert broken_invariants() == []


def test_control_ship_and_shorten_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    breaks(run(_ship_or_shorten(), orders))

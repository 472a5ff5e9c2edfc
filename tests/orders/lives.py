"""Orders brought to a state through the same doors as real ones, many at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.refusals import Tally
from orders import services
from orders.models import Order
from orders.states import State
from sellers.models import Shop
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, anas, basket

HOUR = timedelta(hours=1)
SEUR = "SEUR"


def tick(name: str, at: datetime) -> Tally:
    """Let one timer do all that is due."""
    return timers.run(BY_NAME[name], at=at)


def placed(channel: Channel, shop: Shop, count: int, *, card: str = "ok", at: datetime = AT) -> list[int]:
    """Ids of so many new orders."""
    outcome = services.place(
        channel, [basket(shop, at=at, card=card, customer=anas(n)) for n in range(count)]
    )
    return [move.order_id for move in outcome.moved]


def _accept(ids: list[int]) -> None:
    assert len(services.accept(ids, by=SELLER, at=AT + HOUR).moved) == len(ids)


def _debit(ids: list[int]) -> None:
    _accept(ids)
    tick("charge", AT + HOUR)


def _fail(ids: list[int]) -> None:
    _accept(ids)
    tick("charge", AT + HOUR)


def _pickup(ids: list[int]) -> None:
    _debit(ids)
    services.ready(ids, by=SELLER, at=AT + 2 * HOUR)


def _ship(ids: list[int]) -> None:
    _debit(ids)
    parcel = services.Parcel(carrier_name=SEUR, tracking="1")
    services.ship(dict.fromkeys(ids, parcel), by=SELLER, at=AT + 2 * HOUR)


def _deliver(ids: list[int]) -> None:
    _ship(ids)
    services.deliver(ids, by=OPERATOR, at=AT + 3 * HOUR)


def _receive(ids: list[int]) -> None:
    _ship(ids)
    services.receive(ids, by=CLOCK, at=AT + 2 * HOUR + timedelta(days=21))


def _settle(ids: list[int]) -> None:
    _receive(ids)
    tick("statements", AT + timedelta(days=40))


WAYS: dict[State, Callable[[list[int]], object]] = {
    State.PENDING_ACCEPTANCE: lambda ids: None,
    State.DEBIT: _accept,
    State.AWAITING_SHIPMENT: _debit,
    State.AWAITING_PICKUP: _pickup,
    State.SHIPPED: _ship,
    State.DELIVERED: _deliver,
    State.RECEIVED: _receive,
    State.CLOSED: _settle,
    State.REFUSED: lambda ids: services.refuse(ids, reason="Sin existencias", by=SELLER, at=AT + HOUR),
    State.CANCELLED: lambda ids: services.cancel(ids, reason="El cliente lo pide", by=SELLER, at=AT + HOUR),
    State.FAILED: _fail,
}


def brought_to(state: State, channel: Channel, shop: Shop, count: int = 1) -> list[int]:
    """Ids of so many orders in this state."""
    ids = placed(channel, shop, count, card="refused" if state == State.FAILED else "ok")
    WAYS[state](ids)
    assert set(Order.objects.filter(id__in=ids).values_list("state", flat=True)) == {state}
    return ids

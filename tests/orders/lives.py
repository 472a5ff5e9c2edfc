"""Orders brought to a state through the same doors as real ones, many at a time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.refusals import Outcome, Tally
from orders import services
from orders.models import Order
from orders.signals import Moved
from orders.states import State
from payments import beforehand
from sellers.models import Shop, Supplier
from tests.conftest import AT, CLOCK, JAR, OPERATOR, PLATE, SELLER, anas
from tests.orders.digital import Article, Goods, digital_basket

HOUR = timedelta(hours=1)
SEUR = "SEUR"


def tick(name: str, at: datetime) -> Tally:
    """Let one timer do all that is due."""
    return timers.run(BY_NAME[name], at=at)


type Served = Sequence[Supplier | None]


def placed(
    channel: Channel,
    shop: Shop,
    count: int,
    *,
    articles: tuple[Article | Goods, ...] = (JAR, PLATE),
    card: str = "ok",
    served: Served = (),
    at: datetime = AT,
) -> list[int]:
    """Ids of so many new orders."""
    baskets = [
        digital_basket(shop, *articles, at=at, card=card, served=served, customer=anas(n))
        for n in range(count)
    ]
    outcome = services.place(channel, baskets)
    return [move.order_id for move in outcome.moved]


def _all(outcome: Outcome[Moved], ids: list[int]) -> None:
    assert len(outcome.moved) == len(ids), outcome.refused


def _accept(ids: list[int]) -> None:
    _all(services.accept(ids, by=SELLER, at=AT + HOUR), ids)


def _debit(ids: list[int]) -> None:
    _accept(ids)
    tick("charge", AT + HOUR)


def _pay(ids: list[int]) -> None:
    _all(beforehand.confirm({pk: f"pi_{pk}" for pk in ids}, by=CLOCK, at=AT + HOUR), ids)


TO_SHIP: dict[Preset, Callable[[list[int]], None]] = {
    Preset.ACCEPT_FIRST: _debit,
    Preset.PREPAID: _pay,
    Preset.CASH_ON_DELIVERY: _accept,
}
"""How an order comes to be prepared, by the way its channel trades."""


def _ship(ids: list[int]) -> None:
    parcel = services.Parcel(carrier_name=SEUR, tracking="1")
    _all(services.ship(dict.fromkeys(ids, parcel), by=SELLER, at=AT + 2 * HOUR), ids)


def _fail_to_deliver(ids: list[int]) -> None:
    outcome = services.report_exception(ids, reason="Ausente", by=OPERATOR, at=AT + 3 * HOUR)
    _all(outcome, ids)


def _receive(ids: list[int]) -> None:
    services.receive(ids, by=CLOCK, at=AT + 2 * HOUR + timedelta(days=21))


STEPS: dict[State, tuple[Callable[[list[int]], object], ...]] = {
    State.AWAITING_SHIPMENT: (),
    State.AWAITING_PICKUP: (lambda ids: services.ready(ids, by=OPERATOR, at=AT + 2 * HOUR),),
    State.SHIPPED: (_ship,),
    State.EXCEPTION: (_ship, _fail_to_deliver),
    State.RETURNED: (
        _ship,
        _fail_to_deliver,
        lambda ids: services.return_to_sender(ids, by=SELLER, at=AT + 4 * HOUR),
    ),
    State.DELIVERED: (_ship, lambda ids: services.deliver(ids, by=OPERATOR, at=AT + 3 * HOUR)),
    State.RECEIVED: (_ship, _receive),
    State.CLOSED: (_ship, _receive, lambda ids: tick("statements", AT + timedelta(days=40))),
}
"""What happens to an order that can be prepared until it is in a state."""


def _end(state: State, ids: list[int], preset: Preset) -> None:
    """Bring orders to a state that comes before, or instead of, being prepared."""
    first = State.PENDING_PAYMENT if preset == Preset.PREPAID else State.PENDING_ACCEPTANCE
    if state == first:
        return
    if state == State.DEBIT:
        _accept(ids)
    elif state == State.REFUSED:
        services.refuse(ids, reason="Sin existencias", by=SELLER, at=AT + HOUR)
    elif state == State.CANCELLED:
        services.cancel(ids, reason="El cliente lo pide", by=OPERATOR, at=AT + HOUR)
    elif state == State.FAILED and preset == Preset.PREPAID:
        beforehand.fail(ids, reason="sin fondos", by=CLOCK, at=AT + HOUR)
    else:
        assert state == State.FAILED
        _debit(ids)


def brought_to(
    state: State,
    channel: Channel,
    shop: Shop,
    count: int = 1,
    *,
    articles: tuple[Article | Goods, ...] = (JAR, PLATE),
    served: Served = (),
) -> list[int]:
    """Ids of so many orders in this state, along the way that their channel trades."""
    assert channel.policy is not None
    preset = channel.policy.rules.preset
    card = "refused" if state == State.FAILED else "ok"
    ids = placed(channel, shop, count, articles=articles, card=card, served=served)
    if state in STEPS:
        TO_SHIP[preset](ids)
        for step in STEPS[state]:
            step(ids)
    else:
        _end(state, ids, preset)
    assert set(Order.objects.filter(id__in=ids).values_list("state", flat=True)) == {state}
    return ids

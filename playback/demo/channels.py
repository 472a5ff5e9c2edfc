"""The other ways of trading in the demonstration: a channel paid beforehand, and one where the courier collects."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from marketplace import queries
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.reasons import Why
from marketplace.refusals import Outcome, Refusal
from marketplace.services import open_channel
from messaging.services import muted
from orders import services
from orders.models import Line, Order
from orders.signals import Moved
from orders.states import LineKind
from payments import beforehand
from payments.couriers import Couriers
from payments.remitting import Cash, Remitting
from playback.demo.goods import TRADERS, Trader, customer
from playback.demo.people import People
from sellers.desk import PLATFORM, Actor

type Act = Callable[[int, datetime], Outcome[Moved]]
type Life = tuple[int, int, tuple[str, ...], *tuple[str, ...]]

_HOUR = timedelta(hours=1)
COURIER = "Mensajería del Norte"

CHANNELS = (
    (
        "escaparate",
        "Escaparate",
        Preset.PREPAID,
        (
            (0, 2, ()),
            (0, 30, ()),
            (1, 5, ("pay",)),
            (1, 20, ("pay",)),
            (1, 55, ("pay", "ship")),
            (0, 90, ("pay", "ship", "fail", "return")),
            (2, 110, ("pay", "ship", "deliver")),
            (2, 60, ("decline",)),
            (1, 26, ("pay", "void")),
            (0, 6, ("pay",), "booklet"),
            (0, 12, ("pay",), "workshop"),
            (0, 70, ("pay", "confirm"), "workshop"),
            (0, 28, ("pay",), "goods", "booklet", "workshop"),
            (0, 25, ("pay", "sent"), "goods", "made"),
        ),
    ),
    (
        "contraentrega",
        "Contraentrega",
        Preset.CASH_ON_DELIVERY,
        (
            (1, 3, ()),
            (2, 22, ()),
            (1, 28, ("accept",)),
            (2, 40, ("accept", "ready")),
            (1, 60, ("accept", "ready", "ship")),
            (0, 80, ("accept", "made ready", "sent", "fail")),
            (2, 100, ("accept", "ready", "ship", "fail", "retry", "deliver")),
            (1, 120, ("accept", "ship", "deliver", "remit")),
            (0, 20, ("accept",)),
            (0, 26, ("accept", "made ready")),
            (0, 46, ("accept", "made ready", "sent")),
            (0, 50, ("accept", "unmade")),
        ),
    ),
)
"""Code, name and preset of each channel, and its orders: which trader's, placed how many hours ago, what was done, and
what was bought where it is not an article of the trader's.

Where the courier collects, the first trader's goods are a workshop's; elsewhere what is «made» is.
"""

_DIGITAL = {
    "booklet": (LineKind.DOWNLOAD, "Cuadernillo de patrones: seis platos", 950,
                "https://ceramicasalba.example/descargas/cuadernillo-de-patrones"),
    "workshop": (LineKind.TICKET, "Taller de torno, una mañana", 4500, ""),
}  # fmt: skip
"""What of the demonstration does not travel: its kind, its title, its price in cents, how to get at it."""

_WHERE = "Sábado a las 10:00 en Calle del Torno 8; trae un delantal"


def open_others(people: People, *, at: datetime) -> int:
    """Open the channels and play the lives of their orders up to `at`; answers how many there were.

    Raises Astray when a rule forbids what is told here.
    """
    count = 0
    with muted():
        for code, name, preset, lives in CHANNELS:
            channel = open_channel(code, name, preset=preset, by="trastienda", at=at - timedelta(days=10))
            queries.forget()
            for life in lives:
                count += 1
                _live(channel, people, life, f"{code[0].upper()}-{70_000 + count}", at=at)
    return count


class Astray(Exception):
    """A step of a life was refused: what is told and the rules do not agree."""


def _live(channel: Channel, people: People, life: Life, number: str, *, at: datetime) -> None:
    which, hours_ago, steps, *sold = life
    trader = TRADERS[which]
    placed_at = at - hours_ago * _HOUR
    lines = tuple(_line(people, trader, number, n, name) for n, name in enumerate(sold or ["goods"], 1))
    new = _basket(channel, lines, number, placed_at)
    if channel.policy and channel.policy.rules.cash_on_delivery and trader is TRADERS[0]:
        new = _from_the_workshop(new, people)
    order_id = services.place(channel, [new]).moved[0].order_id
    acts = _acts(people, trader)
    for step, moment in zip(steps, _moments(placed_at, at, len(steps)), strict=True):
        outcome = acts[step](order_id, moment)
        if outcome.refused:
            raise Astray(f"{number} {step}: {outcome.refused[0].code}")


def _moments(since: datetime, until: datetime, count: int) -> Iterator[datetime]:
    """So many moments, evenly between two."""
    yield from (since + (until - since) * n / (count + 1) for n in range(1, count + 1))


def _acts(people: People, trader: Trader) -> dict[str, Act]:
    seller, operator = people.seller(trader), people.operator
    parcel = services.Parcel(carrier_name=COURIER, tracking=f"MN{len(trader.name):08}")
    return {
        "pay": lambda order, at: beforehand.confirm({order: f"demo-{order}"}, by=PLATFORM, at=at),
        "decline": lambda order, at: beforehand.fail([order], reason="card_declined", by=PLATFORM, at=at),
        "void": lambda order, at: services.cancel([order], reason=Why("customer-asks"), by=operator, at=at),
        "accept": lambda order, at: services.accept([order], by=seller, at=at),
        "ready": lambda order, at: services.ready([order], by=seller, at=at),
        "ship": lambda order, at: services.ship({order: parcel}, by=seller, at=at),
        "made ready": lambda order, at: services.ready([order], by=people.workshop, at=at),
        "sent": lambda order, at: services.ship({order: parcel}, by=people.workshop, at=at),
        "unmade": lambda order, at: services.cancel(
            [order], reason=Why("out-of-stock"), by=people.workshop, at=at
        ),
        "fail": lambda order, at: services.report_exception(
            [order], reason=Why("absent"), by=operator, at=at
        ),
        "retry": lambda order, at: services.retry([order], by=seller, at=at),
        "return": lambda order, at: services.return_to_sender([order], by=seller, at=at),
        "confirm": lambda order, at: services.fulfil({order: _told(order)}, by=seller, at=at),
        "deliver": lambda order, at: services.deliver([order], by=PLATFORM, at=at),
        "remit": lambda order, at: _remit(order, by=operator, at=at),
    }


def _told(order_id: int) -> dict[int, str]:
    """What the customer is told of each line that waits to be confirmed."""
    lines = Line.objects.filter(order_id=order_id, confirmed_at=None).exclude(kind=LineKind.GOODS)
    return dict.fromkeys(lines.values_list("id", flat=True), _WHERE)


def _remit(order_id: int, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The courier hands over what it was paid at this door."""
    order = Order.objects.select_related("channel").get(id=order_id)
    remitting = Remitting(order.channel, Couriers().called(COURIER), f"MN-{at:%Y%m%d}", at, by, at)
    (one,) = remitting.carry_out([Cash(1, order.reference, order.total_cents)])
    return Outcome([], [] if one.code is None else [Refusal(order_id, one.code, one.detail)])


def _from_the_workshop(new: services.NewBasket, people: People) -> services.NewBasket:
    """The same basket made by the shop's supplier, and by nobody else: the courier is paid for it."""
    lines = tuple(replace(line, supplier_id=people.workshop.supplier_id) for line in new.lines)
    return replace(new, lines=lines, payments=None)


def _line(people: People, trader: Trader, number: str, n: int, name: str) -> services.NewLine:
    shop = people.shop(trader)
    if name in _DIGITAL:
        kind, title, price, access = _DIGITAL[name]
        return services.NewLine(
            str(n), shop.id, f"DIG-{name.upper()}", title, 1, price, kind=kind, access=access
        )
    made = name == "made"
    article = trader.articles[(int(number[-2:]) + made) % len(trader.articles)]
    return services.NewLine(
        str(n),
        shop.id,
        article.sku,
        article.title,
        1,
        article.price_cents,
        article.shipping_cents,
        trader.category,
        supplier_id=people.workshop.supplier_id if made else None,
    )


def _basket(
    channel: Channel, lines: tuple[services.NewLine, ...], number: str, placed_at: datetime
) -> services.NewBasket:
    total = sum(line.unit_price_cents + line.shipping_cents for line in lines)
    return services.NewBasket(
        commercial_id=number,
        currency=channel.currency,
        placed_at=placed_at,
        customer=customer(int(number[-3:])),
        lines=lines,
        payments=({"method": "card", "amount_cents": total, "card": "visa-ok"},),
    )

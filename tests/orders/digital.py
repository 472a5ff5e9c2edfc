"""Baskets with articles that do not travel, for the tests of what becomes of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.states import LineKind
from payments import beforehand
from sellers.models import Shop
from tests.conftest import AT, CLOCK, again, basket

LINK = "https://tienda.example/patrones/7f3a"


class Article(NamedTuple):
    """An article that is confirmed to the customer; its price in cents."""

    kind: LineKind
    title: str
    price_cents: int
    access: str = ""


PATTERN = Article(LineKind.DOWNLOAD, "Patrón de falda", 1200, LINK)
SEASON = Article(LineKind.SUBSCRIPTION, "Revista, un año", 1200, LINK)
TICKET = Article(LineKind.TICKET, "Taller de torno", 4500)
BOOKING = Article(LineKind.BOOKING, "Visita guiada", 1500)

type Goods = tuple[str, str, int, int, int]


def digital_basket(
    shop: Shop, *articles: Article | Goods, at: datetime = AT, **wishes: Any
) -> services.NewBasket:
    """A basket of articles of both sorts, numbered from 1, paid to the cent."""
    rows = [
        (one.kind.value, one.title, 1, one.price_cents, 0) if isinstance(one, Article) else one
        for one in articles
    ]
    new = basket(shop, *rows, at=at, **wishes)
    lines = tuple(
        replace(line, kind=one.kind, access=one.access) if isinstance(one, Article) else line
        for line, one in zip(new.lines, articles, strict=True)
    )
    return replace(new, lines=lines)


def placed(
    channel: Channel, shop: Shop, *articles: Article | Goods, at: datetime = AT, **wishes: Any
) -> Order:
    moved = services.place(channel, [digital_basket(shop, *articles, at=at, **wishes)]).moved
    return Order.objects.get(id=moved[0].order_id)


def pay(order: Order, at: datetime = AT + timedelta(hours=1)) -> Order:
    services.one(beforehand.confirm({order.id: f"pi_{order.id}"}, by=CLOCK, at=at))
    return again(order)

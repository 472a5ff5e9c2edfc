"""Baskets with articles that do not travel, for the tests of what becomes of them."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from orders import services
from orders.states import LineKind
from sellers.models import Shop
from tests.conftest import ANA, AT, basket

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
    shop: Shop, *articles: Article | Goods, at: datetime = AT, customer: services.Customer = ANA
) -> services.NewBasket:
    """A basket of articles of both sorts, numbered from 1, paid to the cent."""
    rows = [
        (one.kind.value, one.title, 1, one.price_cents, 0) if isinstance(one, Article) else one
        for one in articles
    ]
    new = basket(shop, *rows, at=at, customer=customer)
    lines = tuple(
        replace(line, kind=one.kind, access=one.access) if isinstance(one, Article) else line
        for line, one in zip(new.lines, articles, strict=True)
    )
    return replace(new, lines=lines)

"""A shop with orders in every situation, and reading our pages: boxes, rows, tabs, links."""

import re
from datetime import datetime, time, timedelta
from html import unescape

from django.test import Client
from django.utils import timezone

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.states import HoldKind
from sellers.models import Shop, User
from tests.conftest import CLOCK, JAR, SELLER, anas, basket

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

BOX = re.compile(
    r'<div class="card box[^"]*"><strong>([^<]*)</strong>'
    r'<a class="whole" href="([^"]+)">([^<]+)</a>(.*?)</div>'
)
NOTE = re.compile(r'<a class="soft" href="([^"]+)">([^<]+)</a>')
ROW = re.compile(r'<td class="number"><a href="[^"]+"><b>([^<]+)</b>')
NEXT_UP = re.compile(r'<a href="/pedidos/[^"/]+/"><b>([^<]+)</b>')


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def get(client: Client, address: str, **headers: str) -> str:
    """The page at an address, which must be there."""
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode().replace("\u00a0", " ")


def listed(page: str) -> list[str]:
    """The references in the rows of a list, in their order."""
    return [unescape(reference) for reference in ROW.findall(page)]


def link(page: str, text: str) -> str:
    """Where the link with this text leads; "" when there is none."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(text)}', page)
    return unescape(found[1]) if found else ""


def tab_count(page: str, tab: str) -> int:
    found = re.search(rf">{re.escape(tab)} <span>([\d.]+)</span>", page)
    assert found, tab
    return int(found[1].replace(".", ""))


def placed(channel: Channel, shop: Shop, number: str, at: datetime, n: int = 1, **wishes: object) -> Order:
    new = basket(shop, JAR, at=at, number=number, customer=anas(n), **wishes)  # type: ignore[arg-type]
    moved = services.one(services.place(channel, [new]))
    return Order.objects.get(id=moved.order_id)


def accepted(order: Order) -> Order:
    services.one(services.accept([order.id], by=SELLER, at=order.placed_at + HOUR / 4))
    return order


def debited(order: Order) -> Order:
    accepted(order)
    timers.run(BY_NAME["charge"], at=order.placed_at + HOUR / 4)
    return order


def shipped(order: Order, tracking: str = "") -> Order:
    debited(order)
    parcel = services.Parcel(carrier_name="SEUR", tracking=tracking or f"SE{order.id}")
    services.one(services.ship({order.id: parcel}, by=SELLER, at=order.placed_at + HOUR / 2))
    return order


def later_today(now: datetime) -> datetime:
    """A moment between now and the midnight of the site's clocks."""
    tomorrow = timezone.localdate(now) + DAY
    midnight = datetime.combine(tomorrow, time(), tzinfo=timezone.get_current_timezone())
    return now + (midnight - now) / 2


def furnished(channel: Channel, shop: Shop, prefix: str = "X") -> dict[str, str]:
    """Orders in every situation that the panel tells apart: {situation: reference}."""
    now = timezone.now()

    def new(situation: str, ago: timedelta) -> Order:
        order = placed(channel, shop, f"{prefix}-{situation}", now - ago)
        found[situation] = order.reference
        return order

    found: dict[str, str] = {}
    shipped(new("received", 30 * DAY))
    timers.run(BY_NAME["receive"], at=now)
    shipped(new("late-arriving", 20 * DAY))
    debited(new("late", 15 * DAY))
    held = debited(new("held", 14 * DAY))
    services.one(services.hold([held.id], HoldKind.STOCK, by=SELLER, at=held.placed_at + HOUR))
    delivered = shipped(new("delivered", 13 * DAY))
    services.one(services.deliver([delivered.id], by=CLOCK, at=delivered.placed_at + HOUR))
    new("expiring", 72 * HOUR - (later_today(now) - now))
    refused = new("refused", 3 * HOUR)
    services.one(services.refuse([refused.id], reason="Sin existencias", by=SELLER, at=now - HOUR))
    shipped(new("shipped", 2 * HOUR))
    debited(new("to-ship", 2 * HOUR))
    accepted(new("debit", HOUR))
    new("fresh", HOUR)
    return found

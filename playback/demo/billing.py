"""The invoices of the demonstration: some customers ask, the shops hand them in, the latest are still owed (DOC-02)."""

from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from marketplace import files
from marketplace.files import Checked
from marketplace.models import Channel
from marketplace.policy import FileType, Role
from messaging import invoices
from messaging.services import muted
from orders import services
from orders.models import OWES_INVOICE, Order
from orders.states import State
from playback.demo.goods import TRADERS
from playback.demo.people import People
from sellers.desk import Actor

_STILL_OWED = 2
_MADE_OUT_TO = "Estudio Paloma, S. L.\nB99999997\nCalle Alta 12, 2.º B, 39001 Santander"


def bill(people: People, channel: Channel, *, at: datetime) -> None:
    """Hand in what is owed but for the latest, and have somebody ask on their page."""
    for trader in TRADERS:
        shop, seller = people.shop(trader), people.seller(trader)
        mine = Order.objects.filter(shop=shop, channel=channel, held_at=None, incident_at=None)
        mine = mine.select_related("shop", "policy", "channel").order_by("-placed_at", "-id")
        paper = _drawn(str(shop))
        content: bytes = paper.content.read()
        with muted():
            for order in mine.filter(OWES_INVOICE)[_STILL_OWED:]:
                then = min(order.moved_at + timedelta(minutes=40), at)
                file = replace(paper, content=BytesIO(content))
                invoices.hand_in_files(order, [file], by=seller, at=then)
        for order in mine.filter(state=State.SHIPPED, wants_invoice=False)[:1]:
            asks = Actor(Role.CUSTOMER, order.customer_name)
            then = max(at - timedelta(hours=3), order.moved_at)
            services.one(services.ask_invoice(order.id, _MADE_OUT_TO, by=asks, at=then))


def _drawn(shop: str) -> Checked:
    """A page that says that it is an invoice, put through the gate that everybody's files go through."""
    page = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(page)
    pen.text((120, 120), "FACTURA", "#22323d", font_size=64)
    pen.text((120, 220), shop, "#22323d", font_size=40)
    for n in range(8):
        pen.line(((120, 420 + 90 * n), (1120, 420 + 90 * n)), "#b0b7bb", width=3)
    kept = BytesIO()
    page.save(kept, "PDF", resolution=150)
    [paper], _turned = files.check(
        [ContentFile(kept.getvalue(), "factura.pdf")], types=(FileType.PDF,), most_mb=8, most_files=1
    )
    return paper

"""What the tests of incidents share: orders that were delivered, and incidents on them."""

from datetime import timedelta
from typing import Any

from incidents import services
from incidents.models import Incident, IncidentLine
from marketplace.policy import Role
from marketplace.reasons import Why
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import SHOP
from orders.models import Line, Order
from orders.services import Followed, follow_incidents
from orders.states import Verb
from sellers.desk import Actor
from tests.conftest import AT, CUSTOMER
from tests.orders.lives import HOUR

BROKEN = Why("damaged")
ARRIVED = Why("replaced")
DAY = timedelta(days=1)
DELIVERED_AT = AT + 3 * HOUR
"""When `brought_to(State.DELIVERED)` has orders delivered."""

BOB = Actor(Role.SELLER, "Bernardo Oliva")


def claimed(order_id: int, *, lines: int = 1, **wishes: Any) -> Incident:
    """An incident that the customer opens on the first lines of an order, a day after it was delivered."""
    ids = Line.objects.filter(order_id=order_id).order_by("id").values_list("id", flat=True)[:lines]
    given: dict[str, Any] = {
        "reason": BROKEN,
        "text": "Ha llegado roto",
        "by": CUSTOMER,
        "at": DELIVERED_AT + DAY,
    } | wishes
    return services.open_incident(order_id, list(ids), **given)


def now(incident: Incident) -> Incident:
    """The incident as it stands now."""
    return Incident.objects.get(id=incident.id)


def disputed(order_ids: list[int], *, at: Any) -> None:
    """Have an incident stand on orders in whatever state they are, as if it had been opened."""

    def follow(order: Order) -> Followed:
        started = Words("Roto", told=False)
        message = conversing.start(
            order.shop, started, to=SHOP, order=order, of_incident=True, take_back=False, by=CUSTOMER, at=at
        )
        incident = Incident.objects.create(
            shop_id=order.shop_id,
            order_id=order.id,
            thread_id=message.thread_id,
            number=1,
            reference=f"{order.reference}/1",
            opened_at=at,
            opened_role="customer",
            opened_by="Ana",
            answer_by=message.answer_by,
            messages_count=1,
        )
        line = Line.objects.filter(order_id=order.id).order_by("id")[0]
        IncidentLine.objects.create(shop_id=order.shop_id, incident=incident, line=line)
        return Followed(True, {"incident": incident.reference, "number": 1, "reason": "", "lines": []})

    outcome = follow_incidents(order_ids, Verb.INCIDENT_OPENED, follow, also=lambda: None, by=CUSTOMER, at=at)
    assert len(outcome.moved) == len(order_ids)

"""The operator sends an incident back while its shop publishes days: neither waits for the other in a ring."""

from datetime import timedelta
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from incidents import services
from incidents.models import Incident
from incidents.services import moving, verbs
from incidents.states import State
from messaging import answer_clock, conversing, shop_days
from messaging.conversing import Words
from messaging.recipients import SHOP
from messaging.shop_days import Closing
from orders.models import Line
from orders.states import State as OrderState
from sellers.models import ShopHoliday
from tests.conftest import CUSTOMER, OPERATOR, SELLER
from tests.incidents.claims import ARRIVED, BROKEN, DAY, DELIVERED_AT
from tests.orders.lives import HOUR, brought_to
from tests.races.conftest import Ground

AT = DELIVERED_AT + 2 * DAY
TOMORROW = timezone.localdate(AT) + timedelta(days=1)


def stuck(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> list[OperationalError]:
    """What goes wrong when the days are published as soon as the incident's conversation is locked."""
    (order_id,) = brought_to(OrderState.DELIVERED, ground.channel, ground.shop, 1)
    line = Line.objects.filter(order_id=order_id).values_list("id", flat=True)[0]
    incident = services.open_incident(order_id, [line], reason=BROKEN, by=CUSTOMER, at=AT - DAY)
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=AT - 2 * HOUR)
    conversing.write(
        incident.thread_id, Words("Sigue roto"), to=SHOP, take_back=False, by=CUSTOMER, at=AT - HOUR
    )
    locked, alone = Event(), Event()
    judge, stand_by, wrong = moving.judge, answer_clock.stand_by, list[OperationalError]()

    def judged(*args: Any, **wishes: Any) -> Any:
        locked.set()
        alone.wait(timeout=1)
        return judge(*args, **wishes)

    def standing_by(shop_id: int, **wishes: Any) -> None:
        stand_by(shop_id, **wishes)
        alone.set()

    monkeypatch.setattr(moving, "judge", judged)
    monkeypatch.setattr(shop_days, "stand_by", standing_by)

    def publishes() -> None:
        locked.wait(timeout=60)
        shop_days.publish(ground.shop, Closing(TOMORROW, TOMORROW), by=SELLER, at=AT)

    def sends_back() -> None:
        services.send_back(incident.id, reason="Sigue roto", by=OPERATOR, at=AT)

    def run(side: Any) -> None:
        try:
            side()
        except OperationalError as error:
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=[side]) for side in (publishes, sends_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.rule("INC-05", "MSG-09")
def test_days_are_published_while_an_incident_is_sent_back(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stuck(ground, monkeypatch) == []
    incident = Incident.objects.get()
    assert incident.state == State.OPEN
    assert ShopHoliday.objects.count() == 1
    assert incident.answer_by == incident.thread.answer_by


def test_control_the_days_are_stood_by_under_the_lock(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SimpleNamespace(**vars(answer_clock) | {"stand_by": lambda shop_id: None})
    monkeypatch.setattr(verbs, "answer_clock", late)
    assert len(stuck(ground, monkeypatch)) == 1

"""A shop publishes days while its customers write: no clock is left that does not know of them."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connections

from marketplace.policy import Role
from messaging import answer_clock, conversing, shop_days
from messaging.conversing import Words
from messaging.models import Message
from messaging.recipients import SHOP
from messaging.shop_days import Closing
from orders import services
from orders.models import Order
from sellers.desk import Actor
from sellers.models import ShopHoliday
from tests.conftest import AT, SELLER, basket
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(10, 200)
ANA = Actor(Role.CUSTOMER, "Ana Soler")
DAY = timedelta(days=1)
WEEK = Closing(AT.date() + DAY, AT.date() + 7 * DAY)


def left_behind(ground: Ground) -> int:
    """Of as many rounds, in how many the message that came in meanwhile is due on a day of the closing."""
    moved = services.place(ground.channel, [basket(ground.shop)]).moved
    order = Order.objects.select_related("shop", "policy", "channel").get(id=moved[0].order_id)
    start, wrong = Barrier(2, timeout=60), list[int]()

    def writes() -> None:
        conversing.start(ground.shop, Words("¿Cuándo?"), to=SHOP, order=order, take_back=False, by=ANA, at=AT)

    def publishes() -> None:
        shop_days.publish(ground.shop, WEEK, by=SELLER, at=AT)

    def run(side: Callable[[], None], looks: bool) -> None:
        try:
            for _number in range(ROUNDS):
                start.wait()
                side()
                start.wait()
                if looks:
                    wrong.extend(Message.objects.exclude(answer_by=AT + 8 * DAY).values_list("id", flat=True))
                    Message.objects.all().delete()
                    ShopHoliday.objects.all().delete()
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=one) for one in ((writes, False), (publishes, True))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(wrong)


@pytest.mark.rule("MSG-09")
def test_what_is_written_while_days_are_published_knows_of_them(ground: Ground) -> None:
    assert left_behind(ground) == 0


def test_control_days_published_without_standing_by(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes has read the days of before, who publishes does not see the message yet."""
    both_have_read, days_of, reckon = Barrier(2, timeout=60), answer_clock.days_of, shop_days.reckon

    def reading(*args: object) -> list[ShopHoliday]:
        found = days_of(*args)  # type: ignore[arg-type]
        both_have_read.wait()
        return found

    def reckoning(shop_id: int) -> int:
        n = reckon(shop_id)
        both_have_read.wait()
        return n

    for module in (answer_clock, shop_days):
        monkeypatch.setattr(module, "stand_by", lambda *args, **told: None)
    monkeypatch.setattr(answer_clock, "days_of", reading)
    monkeypatch.setattr(shop_days, "reckon", reckoning)
    assert left_behind(ground) == ROUNDS

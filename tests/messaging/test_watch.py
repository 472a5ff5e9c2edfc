"""The watch: what must always hold is checked by the clock, and who can mend it is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.invariants import check_all
from marketplace.models import TimerRun
from messaging.models import Notice
from messaging.tasks import InvariantsBroken
from orders.models import Order
from sellers.models import User
from tests.conftest import Placing, again

WATCH = BY_NAME["watch"]


def said(code: str) -> int:
    return Notice.objects.filter(event="invariant_broken", payload__code=code).count()


@pytest.mark.django_db
def test_while_everything_holds_nobody_is_told(place: Placing, olga: User) -> None:
    now = timezone.now()
    place(at=now)
    tally = timers.run(WATCH, at=now)
    assert (tally.done, dict(tally.refused)) == (len(list(check_all(at=now))), {})
    assert TimerRun.objects.get(timer="watch").error == ""
    assert WATCH.next_due() == now + timedelta(seconds=WATCH.every_s)
    assert not Notice.objects.filter(event="invariant_broken").exists()


@pytest.mark.django_db
def test_what_broke_is_told_at_once_and_then_once_a_day_while_it_lasts(place: Placing, olga: User) -> None:
    now = timezone.now()
    order = place(at=now)
    Order.objects.filter(id=order.id).update(held_at=now)
    for hours in (0, 1, 23, 25):
        with pytest.raises(InvariantsBroken, match=r"^I14$"):
            timers.run(WATCH, at=now + timedelta(hours=hours))
    assert said("I14") == 2
    notice = Notice.objects.filter(event="invariant_broken").order_by("id")[0]
    assert (notice.email, notice.payload["rows"]) == (olga.email, [f"order {order.reference}"])
    run = TimerRun.objects.filter(timer="watch").order_by("id")[0]
    assert (run.refused, run.error) == (1, "InvariantsBroken: I14")
    assert again(order).state == "pending_acceptance"
    Order.objects.filter(id=order.id).update(held_at=None)
    timers.run(WATCH, at=now + timedelta(hours=26))
    assert said("I14") == 2

"""Whoever waited for another to be done with an order acts after them; only history can be out of order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.refusals import Code
from orders import services
from orders.models import Event
from orders.states import HoldKind, State
from sellers.models import User
from tests.conftest import AT, OPERATOR, SELLER, Placing, again

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.mark.rule("ORD-10")
def test_a_click_that_waited_for_another_comes_after_it(place: Placing, alice: User) -> None:
    order = place(at=AT)
    services.one(services.hold([order.id], HoldKind.STOCK, by=OPERATOR, at=AT + 2 * SECOND))
    clicked = replace(SELLER, user_id=alice.id)
    services.one(services.accept([order.id], by=clicked, at=AT + SECOND))
    assert again(order).state == State.DEBIT
    told = Event.objects.filter(order=order).order_by("id").values_list("verb", "at")
    assert list(told)[-2:] == [("hold", AT + 2 * SECOND), ("accept", AT + 2 * SECOND)]


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(("person", "earlier"), [(True, timedelta(minutes=2)), (False, SECOND)])
def test_what_is_told_too_late_is_out_of_order(
    person: bool, earlier: timedelta, place: Placing, alice: User
) -> None:
    order = place(at=AT)
    services.one(services.hold([order.id], HoldKind.STOCK, by=OPERATOR, at=AT + timedelta(minutes=5)))
    by = replace(SELLER, user_id=alice.id) if person else SELLER
    outcome = services.accept([order.id], by=by, at=AT + timedelta(minutes=5) - earlier)
    assert [refusal.code for refusal in outcome.refused] == [Code.OUT_OF_ORDER]
    assert again(order).state == State.PENDING_ACCEPTANCE

"""A month with incidents sprinkled in: no settlement takes an order while one stands, and the next one does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

import pytest

from incidents import services
from incidents.models import Incident
from marketplace.models import Channel
from orders import services as orders
from orders.models import Event, Order
from orders.states import State, Verb
from playback.clockwork import Clockwork
from sellers.models import Shop
from settlements.models import Cycle, StatementLine
from tests.conftest import AT as FIRST
from tests.conftest import CLOCK, OPERATOR, SELLER, sure
from tests.incidents.claims import ARRIVED, DAY, claimed
from tests.orders.lives import HOUR, placed

pytestmark = pytest.mark.django_db

LENGTH = 30
SOLVED_AFTER = (1, 9, 22, 37, 50)
"""Days from the opening to the shop's word that it is solved, of one order in three, by turns."""


class Month:
    """What happens, each at its moment, with the live timers run when they fall due in between."""

    def __init__(self, channel: Channel, shop: Shop) -> None:
        self.channel, self.shop, self.clock = channel, shop, Clockwork()
        self.ids: list[int] = []
        self._numbers = count()
        self._acts: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        for day in range(LENGTH):
            self.later(FIRST + day * DAY, self.buy)

    def later(self, at: datetime, act: Callable[[datetime], object]) -> None:
        heappush(self._acts, (at, next(self._numbers), act))

    def play(self) -> None:
        with self.clock.listening():
            while self._acts:
                at, _, act = heappop(self._acts)
                self.clock.run_to(at)
                act(at)
            self.clock.run_to(self.clock.at + 40 * DAY)

    def buy(self, at: datetime) -> None:
        """An order is placed and accepted, and leaves; one in three goes wrong five days after its delivery."""
        (order_id,) = placed(self.channel, self.shop, 1, at=at)
        orders.accept([order_id], by=SELLER, at=at)
        n, parcel = len(self.ids), orders.Parcel(carrier_name="SEUR", tracking=f"{order_id}")
        self.ids.append(order_id)
        self.later(at + HOUR, lambda at: orders.one(orders.ship({order_id: parcel}, by=SELLER, at=at)))
        self.later(at + 2 * HOUR, lambda at: orders.one(orders.deliver([order_id], by=CLOCK, at=at)))
        if n % 3 == 0:
            self.later(at + 5 * DAY, lambda at: self.claim(order_id, SOLVED_AFTER[n // 3 % 5] * DAY, at))

    def claim(self, order_id: int, solved_after: timedelta, at: datetime) -> None:
        incident = claimed(order_id, at=at)
        self.later(at + solved_after, lambda at: self.solve(incident.id, at))

    def solve(self, incident_id: int, at: datetime) -> None:
        """The operator closes it an hour after its quiet time is over."""
        resolved = services.resolve(incident_id, reason=ARRIVED, by=SELLER, at=at)
        closes_at = sure(resolved.close_due_at) + HOUR
        self.later(closes_at, lambda at: services.close([incident_id], by=OPERATOR, at=at))


def _stood(order_id: int, at: datetime) -> bool:
    """Whether an incident of the order stood at a moment, as its history tells."""
    verbs = list(Event.objects.filter(order_id=order_id, at__lte=at).values_list("verb", flat=True))
    return verbs.count(Verb.INCIDENT_OPENED) > verbs.count(Verb.INCIDENT_CLOSED)


@pytest.mark.rule("INC-07", "SHP-08", "SET-01")
def test_settlement_skips_every_order_with_an_open_incident_and_takes_it_in_the_next_run(
    channel: Channel, shop: Shop
) -> None:
    month = Month(channel, shop)
    month.play()
    lines = StatementLine.objects.select_related("statement__cycle")
    taken = {sure(line.order_id): line.statement.cycle.closes_at for line in lines}
    assert sorted(taken) == sorted(month.ids)
    assert StatementLine.objects.count() == LENGTH
    skipped = 0
    for order_id, closed_at in taken.items():
        order = Order.objects.get(id=order_id)
        assert order.state == State.CLOSED
        assert not _stood(order_id, closed_at)
        due = sure(order.shipped_at) + 21 * DAY
        ends = [sure(one.closed_at) for one in Incident.objects.filter(order=order)]
        runs = list(
            Cycle.objects.filter(closes_at__gte=due).order_by("closes_at").values_list("closes_at", flat=True)
        )
        passed_over = [moment for moment in runs if moment < closed_at]
        assert all(_stood(order_id, moment) for moment in passed_over), (order_id, passed_over)
        assert closed_at == next(moment for moment in runs if moment >= max([due, *ends]))
        skipped += len(passed_over)
    assert skipped > LENGTH / 3 / 2

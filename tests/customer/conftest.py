"""Orders of a while ago by the clock on the wall, and a wall whose clock can be set: the customer's pages read it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from tests.conftest import AT, Placing
from tests.orders.acting import HOUR, Recent


@pytest.fixture
def recent(place: Placing) -> Recent:
    """An order of a while ago: `recent()`, `recent(JAR, ago=…)`."""

    def placing(*articles: tuple[str, str, int, int, int], ago: timedelta = HOUR, **wishes: Any) -> Order:
        return place(*articles, at=timezone.now() - ago, **wishes)

    return placing


type Clock = Callable[[datetime], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the clock on the wall; it stands at `AT` until then."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(AT)
    return set_to

"""Orders of a while ago, by the clock on the wall, that the customer's pages read."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from tests.conftest import Placing
from tests.orders.acting import HOUR, Recent


@pytest.fixture
def recent(place: Placing) -> Recent:
    """An order of a while ago: `recent()`, `recent(JAR, ago=…)`."""

    def placing(*articles: tuple[str, str, int, int, int], ago: timedelta = HOUR, **wishes: Any) -> Order:
        return place(*articles, at=timezone.now() - ago, **wishes)

    return placing

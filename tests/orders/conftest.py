"""Fixtures of the tests of the acts."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from marketplace.models import Carrier
from orders.models import Order
from tests.conftest import Placing
from tests.orders.acting import HOUR, Recent


@pytest.fixture
def recent(place: Placing) -> Recent:
    """An order of a while ago, by the clock on the wall, that the views read."""

    def placing(*articles: tuple[str, str, int, int, int], ago: timedelta = HOUR, **wishes: Any) -> Order:
        return place(*articles, at=timezone.now() - ago, **wishes)

    return placing


@pytest.fixture
def carrier(db: None) -> Carrier:
    return Carrier.objects.create(
        code="nuestro",
        name="Nuestro",
        tracking_url="https://n.example/{tracking}",
        tracking_pattern=r"\d{11}",
    )

"""The ground of a race: a database of its own, a channel and a shop, all committed."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from marketplace.models import Channel
from marketplace.services import open_channel
from sellers.models import Shop
from tests.conftest import AT, NO_DETAILS


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the orders of a race are placed."""

    channel: Channel
    shop: Shop


@pytest.fixture
def ground(own_database: str) -> Ground:
    channel = open_channel(
        "tienda",
        "Tienda de pruebas",
        changes=NO_DETAILS,
        by="pruebas",
        at=AT - timedelta(days=30),
    )
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    return Ground(channel, shop)

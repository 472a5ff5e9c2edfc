"""Workers to kill, and a prepared database to copy for each of them."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from ledger.services import adjust
from marketplace import queries
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.reasons import Why
from marketplace.services import open_channel
from orders import services
from orders.models import Line
from orders.states import State
from refunds import refunding
from refunds.amounts import Part
from refunds.refunding import Wish
from sellers.models import Shop
from tests.conftest import AT, NO_DETAILS, SELLER, WORKER
from tests.migrated import copied
from tests.orders.lives import HOUR, STEPS, TO_SHIP, brought_to, placed, tick

ROOT = Path(__file__).parents[2]
SHOPS = 24
EACH = 5
BEFORE_CLOSING = AT + timedelta(days=25)
"""When what is received has been received, and the cycle of its month has not closed."""
CARDS = ("ok", "ok", "slow", "late", "lost", "refused", "down", "ok")
_copies = (f"killed_{WORKER}_{number}" for number in count(1))

type Death = tuple[str, int]


@dataclass(frozen=True, slots=True)
class End:
    """How a worker ended: the signal that killed it (0 for none), what its timers did, what was counted."""

    signal: int
    tallies: Sequence[tuple[str, int, int]]
    counted: dict[str, int]


class Workers:
    """A process that forks workers on the present database; each is a process of its own, and can die."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.runner"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *work: tuple[str, datetime], death: Death | None = None, apart: str = "", at_once: int = 1
    ) -> list[End]:
        """Let so many workers do this work at once; one may be told where to die."""
        request = {
            "database": connections["default"].settings_dict["NAME"],
            "work": [(name, at.isoformat()) for name, at in work],
            "death": death or (),
            "apart": apart,
        }
        assert self.popen.stdin
        assert self.popen.stdout
        self.popen.stdin.write(json.dumps([request] * at_once) + "\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        assert line, "the workers' parent has ended; what it said is above"
        return [_end(one) for one in json.loads(line)]

    def close(self) -> None:
        assert self.popen.stdin
        assert self.popen.stdout
        self.popen.stdin.close()
        self.popen.wait()
        self.popen.stdout.close()


def _end(answer: dict[str, Any]) -> End:
    told = answer["told"] or {"tallies": []}
    return End(answer["signal"], [tuple(tally) for tally in told.pop("tallies")], told)


@pytest.fixture(scope="session")
def workers(_migrated: str) -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.close()


@contextmanager
def _standing_on(name: str) -> Iterator[None]:
    """Every new connection of this process leads to this database, for the length of the block."""
    default = connections.settings["default"]
    before = default["NAME"]
    connections.close_all()
    default["NAME"] = connections["default"].settings_dict["NAME"] = name
    queries.forget()
    try:
        yield
    finally:
        connections.close_all()
        default["NAME"] = connections["default"].settings_dict["NAME"] = before
        queries.forget()


@contextmanager
def copy_of(source: str) -> Iterator[None]:
    """Stand on a copy of a database, with whatever is committed there."""
    with copied(source, next(_copies)) as name, _standing_on(name):
        yield


def _prepared(template: str, blocker: Any, fill: Callable[[Channel], None]) -> Iterator[str]:
    with copied(template, next(_copies)) as name:
        with blocker.unblock(), _standing_on(name):
            fill(
                open_channel(
                    "tienda",
                    "Tienda de pruebas",
                    changes=NO_DETAILS,
                    by="pruebas",
                    at=AT - timedelta(days=30),
                )
            )
        yield name


@pytest.fixture(scope="session")
def _all_due(_migrated: str, django_db_blocker: Any) -> Iterator[str]:
    """Many shops, each with orders that nobody accepted in time and orders to be settled."""

    def fill(channel: Channel) -> None:
        received: list[int] = []
        for n in range(SHOPS):
            shop = Shop.objects.create(code=f"t{n:02}", name=f"Tienda {n}", contact_email=f"{n}@t.example")
            placed(channel, shop, EACH)
            received += placed(channel, shop, EACH)
        TO_SHIP[Preset.ACCEPT_FIRST](received)
        for step in STEPS[State.RECEIVED]:
            step(received)

    yield from _prepared(_migrated, django_db_blocker, fill)


@pytest.fixture(scope="session")
def _all_sorts_due(_migrated: str, django_db_blocker: Any) -> Iterator[str]:
    """Shops with all that a statement can take: orders, refunds of them, adjustments, some that leave a debt."""

    def fill(channel: Channel) -> None:
        for n in range(SHOPS // 2):
            shop = Shop.objects.create(code=f"s{n:02}", name=f"Tienda {n}", contact_email=f"{n}@t.example")
            ids = brought_to(State.RECEIVED, channel, shop, EACH)
            line = Line.objects.filter(order_id=ids[0]).order_by("id")[0]
            part = Part(line.id, 1, 1650 + n, 0)
            wish = Wish(uuid.uuid4(), Why("damaged"), (part,))
            refunding.refund(ids[0], wish, by=SELLER, at=BEFORE_CLOSING)
            cents = (-100_000, 999, -77)[n % 3]
            adjust(shop.id, channel.id, cents, "EUR", key=shop.code, note="Ajuste", at=BEFORE_CLOSING)

    yield from _prepared(_migrated, django_db_blocker, fill)


@pytest.fixture(scope="session")
def _all_asked(_migrated: str, django_db_blocker: Any) -> Iterator[str]:
    """Accepted orders of every sort of card whose charges wait, and cancelled ones whose paybacks do."""

    def fill(channel: Channel) -> None:
        shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
        charged = placed(channel, shop, 6)
        services.accept(charged, by=SELLER, at=AT + HOUR)
        tick("charge", AT + HOUR)
        services.cancel(charged, reason="El cliente lo pide", by=SELLER, at=AT + HOUR)
        for card in CARDS:
            services.accept(placed(channel, shop, 2, card=card), by=SELLER, at=AT + HOUR)

    yield from _prepared(_migrated, django_db_blocker, fill)


@pytest.fixture
def all_due(_all_due: str, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock():
        yield _all_due


@pytest.fixture
def all_sorts_due(_all_sorts_due: str, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock():
        yield _all_sorts_due


@pytest.fixture
def all_asked(_all_asked: str, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock():
        yield _all_asked

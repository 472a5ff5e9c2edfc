"""Two of a shop ask for the same carrier at once: it is asked one time."""

from collections import Counter
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections

from marketplace.refusals import Code, MoveRefused
from orders import services
from orders.models import CarrierRequest
from orders.services import carriers
from sellers.models import Shop
from tests.conftest import AT, SELLER
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(20, 500)


def ask_twice(shop: Shop) -> Counter[str]:
    """How both sides ended, over all rounds."""
    start, ends = Barrier(2, timeout=60), Counter[str]()

    def run() -> None:
        try:
            for number in range(ROUNDS):
                start.wait()
                try:
                    services.ask_for_carrier(shop, f"Portes {number}", "https://p.example", by=SELLER, at=AT)
                    ends["asked"] += 1
                except MoveRefused as refused:
                    ends[refused.refusal.code] += 1
                except IntegrityError:
                    ends["torn"] += 1
                start.wait()
                CarrierRequest.objects.all().delete()
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.rule("SHP-04")
def test_asked_twice_at_once_is_asked_once(ground: Ground) -> None:
    assert ask_twice(ground.shop) == {"asked": ROUNDS, Code.CARRIER_ASKED: ROUNDS}


def test_control_asked_twice_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall is the unique key: without the lock one of the two is answered with an error."""
    both_have_read, needless = Barrier(2, timeout=60), carriers._needless

    def reading(shop: Shop, name: str) -> Code | None:
        found = needless(shop, name)
        both_have_read.wait()
        return found

    monkeypatch.setattr(carriers, "_one_at_a_time", lambda shop: None)
    monkeypatch.setattr(carriers, "_needless", reading)
    assert ask_twice(ground.shop) == {"asked": ROUNDS, "torn": ROUNDS}

"""The workers of the controls: what the product writes together or under one key, written apart."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from marketplace.refusals import Outcome, Tally
from orders import services as orders
from orders.signals import Moved
from payments.providers import Answer, Status
from payments.providers.sandbox import Sandbox
from sellers.desk import Actor
from settlements import services as settlements
from settlements.models import Cycle


def settlement() -> None:
    """Orders are closed in one transaction, and enter their statement in the next."""
    together = settlements.collect

    def collect(
        cycle: Cycle, order_ids: Sequence[int], *, skip_locked: bool, by: Actor, at: datetime
    ) -> Outcome[Moved]:
        told = {"cycle": cycle.closes_at.isoformat()}
        outcome = orders.settle(dict.fromkeys(order_ids, told), skip_locked=skip_locked, by=by, at=at)
        setattr(settlements, "orders", SimpleNamespace(settle=lambda *_, **__: outcome))  # noqa: B010
        return together(cycle, order_ids, by=by, at=at)

    def work_through(_: str, due: Any, work: Any, *, at: datetime, tally: Tally, size: int) -> None:
        while keys := due(None, size):
            tally.add(work([key[1] for key in keys]))

    setattr(settlements, "collect", collect)  # noqa: B010
    setattr(settlements, "work_through", work_through)  # noqa: B010


def charges() -> None:
    """Each try is asked under a key of its own, so nothing can be looked up."""
    charge = Sandbox.charge

    def anew(self: Sandbox, key: uuid.UUID, **wishes: Any) -> Answer:
        return charge(self, uuid.uuid4(), **wishes)

    def look_up(self: Sandbox, key: uuid.UUID, **wishes: Any) -> Answer:
        return Answer(Status.UNKNOWN)

    setattr(Sandbox, "charge", anew)  # noqa: B010
    setattr(Sandbox, "look_up", look_up)  # noqa: B010
    setattr(Sandbox, "look_up_payback", look_up)  # noqa: B010


WAYS: dict[str, Callable[[], None]] = {"settlement": settlement, "charges": charges}

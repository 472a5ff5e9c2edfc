"""Orders paid to the courier, for the tests of what becomes of the cash."""

from collections.abc import Callable
from datetime import datetime

from ledger.models import Account, Entry, Posting
from marketplace.models import Channel
from orders.models import Order
from payments.couriers import Couriers
from payments.models import Collection, Remittance
from payments.remitting import Cash, Remitting
from payments.verdicts import Verdict
from sellers.desk import Actor
from tests.conftest import AT, OPERATOR
from tests.orders.lives import HOUR

LATER = AT + 40 * HOUR
type Bringing = Callable[..., Order]


def remit(
    channel: Channel,
    *lines: tuple[str, int | None],
    courier: str = "Portes Norte",
    name: str = "R-1",
    by: Actor = OPERATOR,
    at: datetime = LATER,
) -> list[Verdict]:
    act = Remitting(channel, Couriers().called(courier), name, LATER, by, at)
    return act.carry_out([Cash(n, word, cents) for n, (word, cents) in enumerate(lines, 1)])


def books(account: Account = Account.COURIER) -> int:
    return sum(Posting.objects.filter(account=account).values_list("amount_cents", flat=True))


def standing() -> object:
    """Everything that a remittance may write."""
    return (
        list(Collection.objects.order_by("id").values()),
        list(Remittance.objects.values()),
        list(Entry.objects.order_by("id").values("key", "note")),
        list(Posting.objects.order_by("id").values("account", "amount_cents")),
    )

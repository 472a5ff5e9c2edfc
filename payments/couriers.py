"""Who brought a parcel and was paid at its door: a carrier of the list, or somebody by name (PAY-06)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marketplace import bulk
from marketplace.models import Carrier
from orders.signals import Moved
from payments.models import Collection


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier; `key` is the same however its name is written."""

    key: str
    name: str
    carrier_id: int | None = None

    @property
    def keys(self) -> frozenset[str]:
        """What its cash may stand under: before it was on the list, it went by its name."""
        return frozenset((self.key, folded(self.name)))


def folded(name: str) -> str:
    """A name without what people write differently: capitals and spaces."""
    return " ".join(name.split()).casefold()


class Couriers:
    """Couriers by what they are called, the list of carriers read once and only if it is needed."""

    def __init__(self) -> None:
        self._listed: dict[str, Courier] | None = None

    def called(self, word: str) -> Courier:
        """The carrier with this code or name; somebody who is on no list goes by the name alone."""
        if self._listed is None:
            rows = list(Carrier.objects.order_by("-id").values_list("id", "code", "name"))
            known = {folded(name): Courier(f"#{pk}", name, pk) for pk, _code, name in rows}
            self._listed = known | {code: Courier(f"#{pk}", name, pk) for pk, code, name in rows}
        name = " ".join(word.split())
        return self._listed.get(folded(word)) or Courier(folded(name), name)


def note_collections(moves: Sequence[Moved]) -> None:
    """Write down who was paid at the door of each order, in the transaction that posts it; once an order.

    Of several parcels, the last one's courier collects.
    """
    paid = [move for move in moves if move.data.get("collected_cents")]
    if not paid:
        return
    brought = _brought(move.order_id for move in paid)
    names = ("shop_id", "order_id", "channel_id", "carrier_id", "courier", "courier_key", "currency",
             "amount_cents", "collected_at")  # fmt: skip
    nobody = Courier("", "")
    rows = []
    for move in paid:
        by = brought.get(move.order_id, nobody)
        rows.append((move.shop_id, move.order_id, move.channel_id, by.carrier_id, by.name, by.key, move.currency,
                     move.data["collected_cents"], move.at))  # fmt: skip
    bulk.insert(Collection, names, rows)


def _brought(order_ids: Iterable[int]) -> dict[int, Courier]:
    """Who brought the last parcel of each order."""
    couriers = Couriers()
    rows = bulk.fetch(
        """
        SELECT DISTINCT ON (s.order_id) s.order_id, s.carrier_id, coalesce(c.name, s.carrier_name)
          FROM orders_shipment s LEFT JOIN marketplace_carrier c ON c.id = s.carrier_id
         WHERE s.order_id = ANY(%s::bigint[]) ORDER BY s.order_id, s.number DESC
        """,
        [list(order_ids)],
    )
    return {
        order_id: Courier(f"#{carrier_id}", name, carrier_id) if carrier_id else couriers.called(name)
        for order_id, carrier_id, name in rows
    }

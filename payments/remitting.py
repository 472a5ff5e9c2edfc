"""A courier hands over what it collected: courier to bank, order by order, each once (PAY-06)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from ledger.models import Account, EntryKind, Kind
from ledger.services import NewEntry, post
from marketplace import bulk
from marketplace.models import Channel
from marketplace.money import format_money
from marketplace.refusals import Code
from orders import services as orders
from orders.models import Order
from payments.couriers import Courier
from payments.models import Collection
from payments.verdicts import Fate, Verdict, refused
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Cash:
    """A line of a remittance: an order by its number or a tracking number; without `cents`, what was collected."""

    line: int
    word: str
    cents: int | None


@dataclass(slots=True)
class Remitting:
    """A remittance being recorded: whose, under which number, when it came. It may come in several goes."""

    channel: Channel
    courier: Courier
    reference: str
    received_at: datetime
    by: Actor
    at: datetime
    stated_cents: int | None = None
    bound: dict[int, int] = field(default_factory=dict)

    def carry_out(self, lines: Sequence[Cash]) -> list[Verdict]:
        """Record lines in one transaction; each is answered, and one that does not fit changes nothing.

        The orders are locked in the order of their keys and looked at under the lock: of two people who record the
        same cash, one does and the other is told.
        """
        with transaction.atomic():
            named = _named(self.channel, self.courier, [cash.word for cash in lines])
            locked = orders.lock_orders({ids[0] for ids in named.values() if len(ids) == 1})
            rows = Collection.objects.filter(order_id__in=[order.id for order in locked])
            cash_of = {row.order_id: row for row in rows.select_related("remittance")}
            taken = dict(self.bound)
            verdicts = []
            for cash in lines:
                verdict = self._judge(cash, named.get(cash.word, ()), cash_of, taken)
                if verdict.fate == Fate.DONE:
                    taken[verdict.orders[0]] = cash.line
                verdicts.append(verdict)
            done = [one.orders[0] for one in verdicts if one.fate == Fate.DONE]
            self._record([cash_of[order_id] for order_id in sorted(done)])
        return verdicts

    def _judge(
        self, cash: Cash, ids: Sequence[int], cash_of: dict[int, Collection], taken: dict[int, int]
    ) -> Verdict:
        if len(ids) != 1:
            return refused(cash, Code.AMBIGUOUS if ids else Code.UNKNOWN_ORDER)
        row = cash_of.get(ids[0])
        if row is None:
            return refused(cash, Code.NOT_COLLECTED)
        if row.courier_key not in self.courier.keys:
            return refused(cash, Code.OTHER_COURIER, row.courier)
        if row.order_id in taken:
            return refused(cash, Code.DUPLICATE, _("Está en la línea %(n)s.") % {"n": taken[row.order_id]})
        if row.remittance and row.remittance.reference != self.reference:
            name = row.remittance.reference
            return refused(cash, Code.DUPLICATE, _("Está en la remesa %(name)s.") % {"name": name})
        if cash.cents not in (None, row.amount_cents):
            return refused(cash, Code.MISMATCH, _differs(row, cash.cents or 0))
        fate = Fate.HERE if row.remittance else Fate.DONE
        return Verdict(cash.line, cash.word, fate, row.amount_cents, orders=(row.order_id,))

    def _record(self, rows: Sequence[Collection]) -> None:
        """Write the remittance, or add to it, and post the cash of each order from the courier to the bank."""
        if not rows:
            return
        remittance = self._remittance(sum(row.amount_cents for row in rows), len(rows))
        whose = (remittance, self.courier.key, self.courier.carrier_id, self.at, self.by.label)
        bulk.update(
            Collection,
            ("id", "remittance_id", "courier_key", "carrier_id", "remitted_at", "remitted_by"),
            [(row.id, *whose) for row in rows],
        )
        post(self._entry(row) for row in rows)

    def _remittance(self, cents: int, count: int) -> int:
        ((remittance_id,),) = bulk.fetch(
            """
            INSERT INTO payments_remittance AS old (channel_id, carrier_id, courier, courier_key, reference, currency,
                   amount_cents, orders_count, stated_cents, received_at, recorded_at, recorded_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (channel_id, courier_key, reference) DO UPDATE
               SET amount_cents = old.amount_cents + EXCLUDED.amount_cents,
                   orders_count = old.orders_count + EXCLUDED.orders_count,
                   stated_cents = coalesce(EXCLUDED.stated_cents, old.stated_cents)
            RETURNING id
            """,
            [self.channel.id, self.courier.carrier_id, self.courier.name, self.courier.key, self.reference,
             self.channel.currency, cents, count, self.stated_cents, self.received_at, self.at, self.by.label],
        )  # fmt: skip
        return int(remittance_id)

    def _entry(self, row: Collection) -> NewEntry:
        word, cents = Kind.ORDER_AMOUNT, row.amount_cents
        return NewEntry(
            key=f"{EntryKind.REMIT}:{row.order_id}",
            kind=EntryKind.REMIT,
            shop_id=row.shop_id,
            channel_id=row.channel_id,
            order_id=row.order_id,
            currency=row.currency,
            at=self.at,
            postings=[(Account.BANK, word, cents), (Account.COURIER, word, -cents)],
            note=f"{self.courier.name} {self.reference}",
        )


def _differs(row: Collection, cents: int) -> str:
    return _("Se cobraron %(collected)s y la remesa dice %(told)s.") % {
        "collected": format_money(row.amount_cents, row.currency),
        "told": format_money(cents, row.currency),
    }


def _named(channel: Channel, courier: Courier, words: Iterable[str]) -> dict[str, list[int]]:
    """The orders that numbers name: an order's own, else a tracking number of one of its parcels.

    Where several orders have had the same tracking number, the one whose cash this courier still holds.
    """
    wanted = set(words)
    found = Order.objects.filter(channel=channel, reference__in=wanted).values_list("reference", "id")
    named = {reference: [order_id] for reference, order_id in found}
    rows = bulk.fetch(
        """
        SELECT s.tracking, s.order_id, bool_or(c.courier_key = ANY(%s::varchar[]) AND c.remittance_id IS NULL)
          FROM sellers_shop shop
          JOIN orders_shipment s ON s.shop_id = shop.id AND s.tracking = ANY(%s::varchar[])
          JOIN orders_order o ON o.id = s.order_id AND o.channel_id = %s
          LEFT JOIN payments_collection c ON c.order_id = s.order_id
         GROUP BY 1, 2 ORDER BY 1, 2
        """,
        [list(courier.keys), [word for word in wanted - set(named) if word], channel.id],
    )
    by_tracking: dict[str, dict[int, bool]] = {}
    for tracking, order_id, owed in rows:
        by_tracking.setdefault(tracking, {})[order_id] = bool(owed)
    for tracking, ids in by_tracking.items():
        owing = [order_id for order_id, owed in ids.items() if owed]
        named[tracking] = owing if len(owing) == 1 else list(ids)
    return named

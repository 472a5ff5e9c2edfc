"""Reads of payments: what is due to be asked, which debits take too long, and who holds how much of whose money."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.models import Account
from marketplace import bulk, outbox
from payments.models import Charge, Inquiry, Payback, Release

WEBHOOKS_KEPT_FOR = timedelta(days=90)
"""How long it is known what a webhook said."""


def next_charge() -> datetime | None:
    """When the next charge is to be asked or asked about."""
    return outbox.next_due(Charge)


def next_payback() -> datetime | None:
    """When the next payback is to be asked or asked about."""
    return outbox.next_due(Payback)


def next_release() -> datetime | None:
    """When the next authorisation is to be let go of."""
    return outbox.next_due(Release)


def next_stuck_debit() -> datetime | None:
    """When the next unanswered debit will have taken too long (PAY-03)."""
    rows = bulk.fetch("SELECT min(alert_at) FROM payments_charge WHERE alert_at IS NOT NULL")
    moment: datetime | None = rows[0][0]
    return moment


def next_inquiry() -> datetime | None:
    """When the provider is next to be asked about a payment made beforehand (ORD-07)."""
    return outbox.next_due(Inquiry)


def next_forgetting() -> datetime | None:
    """When the oldest receipt of a webhook is to be deleted."""
    rows = bulk.fetch("SELECT received_at FROM payments_webhookreceipt ORDER BY id LIMIT 1")
    return rows[0][0] + WEBHOOKS_KEPT_FOR + timedelta(microseconds=1) if rows else None


@dataclass(frozen=True, slots=True)
class Explained:
    """What the books say that somebody holds, and what is under way with them; the two are the same."""

    account: Account
    channel_id: int
    currency: str
    balance_cents: int
    under_way_cents: int

    @property
    def difference_cents(self) -> int:
        return self.balance_cents - self.under_way_cents


def explained() -> list[Explained]:
    """The balances of couriers and providers, by channel, beside what explains them (PAY-06, SET-04).

    With a courier is what it collected and has not handed over; with a provider, what it charged and has not paid back.
    """
    rows = bulk.fetch(
        """
        WITH balance AS (
            SELECT p.account, e.channel_id, p.currency, sum(p.amount_cents) AS cents
              FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
             WHERE p.account IN ('courier', 'provider') GROUP BY 1, 2, 3),
        held AS (
            SELECT 'courier' AS account, channel_id, currency, amount_cents AS cents FROM payments_collection
             WHERE remittance_id IS NULL
            UNION ALL
            SELECT 'provider', o.channel_id, c.currency, c.amount_cents
              FROM payments_charge c JOIN orders_order o ON o.id = c.order_id WHERE c.state = 'succeeded'
            UNION ALL
            SELECT 'provider', o.channel_id, b.currency, -b.amount_cents
              FROM payments_payback b JOIN orders_order o ON o.id = b.order_id
             WHERE b.state = 'succeeded' AND b.charge_id IS NOT NULL),
        under_way AS (SELECT account, channel_id, currency, sum(cents) AS cents FROM held GROUP BY 1, 2, 3)
        SELECT account, channel_id, currency, coalesce(b.cents, 0)::bigint, coalesce(u.cents, 0)::bigint
          FROM balance b FULL JOIN under_way u USING (account, channel_id, currency) ORDER BY 1, 2, 3
        """
    )
    return [Explained(Account(account), *rest) for account, *rest in rows]


@dataclass(frozen=True, slots=True)
class InHand:
    """The cash of one channel that one courier has collected and handed over; `oldest_at` is of what it still owes."""

    channel_id: int
    courier_key: str
    courier: str
    currency: str
    owed_cents: int
    owed_orders: int
    oldest_at: datetime | None
    remitted_cents: int
    remitted_orders: int

    @property
    def collected_cents(self) -> int:
        return self.owed_cents + self.remitted_cents

    @property
    def collected_orders(self) -> int:
        return self.owed_orders + self.remitted_orders


def in_hand() -> list[InHand]:
    """What each courier collected, handed over and owes, by channel; those who owe for longest first (PAY-06).

    What is owed is read by its own index, what was handed over from the remittances: neither grows with the years.
    """
    rows = bulk.fetch(
        """
        WITH owed AS (
            SELECT channel_id, courier_key, currency, max(courier) AS courier, sum(amount_cents) AS cents,
                   count(*) AS n, min(collected_at) AS oldest
              FROM payments_collection WHERE remittance_id IS NULL GROUP BY 1, 2, 3),
        remitted AS (
            SELECT channel_id, courier_key, currency, max(courier) AS courier, sum(amount_cents) AS cents,
                   sum(orders_count) AS n
              FROM payments_remittance GROUP BY 1, 2, 3)
        SELECT channel_id, courier_key, coalesce(o.courier, r.courier), currency, coalesce(o.cents, 0)::bigint,
               coalesce(o.n, 0), o.oldest, coalesce(r.cents, 0)::bigint, coalesce(r.n, 0)::bigint
          FROM owed o FULL JOIN remitted r USING (channel_id, courier_key, currency)
         ORDER BY o.oldest NULLS LAST, 1, 2, 4
        """
    )
    return [InHand(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class AtProvider:
    """What one provider charged and paid back in a currency; the rest is under way from it to us."""

    provider: str
    currency: str
    charged_cents: int
    charges: int
    paid_back_cents: int
    paybacks: int

    @property
    def under_way_cents(self) -> int:
        return self.charged_cents - self.paid_back_cents


def at_providers() -> list[AtProvider]:
    """What is with each payment provider."""
    rows = bulk.fetch(
        """
        WITH charged AS (SELECT provider, currency, sum(amount_cents) AS cents, count(*) AS n
                           FROM payments_charge WHERE state = 'succeeded' GROUP BY 1, 2),
             returned AS (SELECT provider, currency, sum(amount_cents) AS cents, count(*) AS n
                            FROM payments_payback
                           WHERE state = 'succeeded' AND charge_id IS NOT NULL GROUP BY 1, 2)
        SELECT provider, currency, coalesce(c.cents, 0)::bigint, coalesce(c.n, 0),
               coalesce(r.cents, 0)::bigint, coalesce(r.n, 0)
          FROM charged c FULL JOIN returned r USING (provider, currency) ORDER BY 1, 2
        """
    )
    return [AtProvider(*row) for row in rows]

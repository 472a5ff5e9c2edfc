"""What couriers and providers hold is what is under way with them, and what is due back has been asked for."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant
from payments.queries import explained


@invariant("I18", "The balances of couriers and providers are what is under way with them.")
def balances_are_explained(at: datetime | None) -> list[str]:
    return [
        f"{one.account} on channel {one.channel_id}: posted {one.balance_cents}, under way {one.under_way_cents}"
        for one in explained()
        if one.difference_cents
    ]


@invariant("I19", "A remittance is the sum of the cash that came with it, of its own courier and channel.")
def remittances_add_up(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'remittance ' || r.id FROM payments_remittance r
          LEFT JOIN (SELECT remittance_id, sum(amount_cents) AS cents, count(*) AS n, min(channel_id) AS channel,
                            max(channel_id) AS channel_too, min(courier_key) AS courier, max(courier_key) AS courier_too
                       FROM payments_collection WHERE remittance_id IS NOT NULL GROUP BY 1) c ON c.remittance_id = r.id
         WHERE coalesce(c.cents, 0) <> r.amount_cents OR coalesce(c.n, 0) <> r.orders_count
            OR c.channel <> r.channel_id OR c.channel_too <> r.channel_id
            OR c.courier <> r.courier_key OR c.courier_too <> r.courier_key
        """
    )


@invariant("I22", "What is due back to the customer of an order is what its paybacks have not returned yet.")
def due_back_is_asked_for(at: datetime | None) -> Broken:
    return broken(
        """
        WITH due AS (
            SELECT e.order_id, -sum(p.amount_cents) AS cents
              FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
             WHERE p.account = 'refund_due' AND e.order_id IS NOT NULL GROUP BY 1),
        asked AS (
            SELECT order_id, sum(amount_cents) AS cents FROM payments_payback
             WHERE state <> 'succeeded' AND NOT (state = 'refused' AND (asked_anew OR undone)) GROUP BY 1)
        SELECT 'order ' || coalesce(due.order_id, asked.order_id) FROM due FULL JOIN asked USING (order_id)
         WHERE coalesce(due.cents, 0) <> coalesce(asked.cents, 0)
        """
    )

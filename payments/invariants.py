"""What couriers and providers hold is what is under way with them."""

from datetime import datetime

from marketplace.invariants import broken, invariant
from payments.queries import explained


@invariant("I18", "The balances of couriers and providers are what is under way with them.")
def balances_are_explained(at: datetime | None) -> list[str]:
    return [
        f"{one.account} on channel {one.channel_id}: posted {one.balance_cents}, under way {one.under_way_cents}"
        for one in explained()
        if one.difference_cents
    ]


@invariant("I19", "A remittance is the sum of the cash that came with it, of its own courier and channel.")
def remittances_add_up(at: datetime | None) -> list[str]:
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

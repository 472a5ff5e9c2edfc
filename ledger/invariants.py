"""The books balance, stay as they are, and agree with the balances kept beside them."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant


@invariant("I1", "Postings of an entry sum to zero in each currency, and there are at least two.")
def entries_balance(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'entry ' || e.key FROM ledger_entry e
          LEFT JOIN (SELECT entry_id, sum(n) AS n, max(abs(s)) AS off FROM
                      (SELECT entry_id, currency, count(*) AS n, sum(amount_cents) AS s
                         FROM ledger_posting GROUP BY 1, 2) per GROUP BY 1) p ON p.entry_id = e.id
         WHERE p.n IS NULL OR p.n < 2 OR p.off <> 0
        """
    )


@invariant("I2", "Entries and postings, histories and policies can only be added to.")
def entries_stay(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'table ' || name || ' can be changed' FROM unnest(ARRAY
            ['ledger_entry', 'ledger_posting', 'orders_event', 'marketplace_policy']) AS name
         WHERE (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = name::regclass
                   AND t.tgname IN ('only_added_to', 'never_emptied') AND t.tgenabled <> 'D') <> 2
        """
    )


@invariant("I13", "A payable balance is the sum of its postings.")
def balances_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'shop ' || shop_id || ' on channel ' || channel_id || ': kept ' || coalesce(b.payable_cents, 0)
               || ', posted ' || coalesce(p.cents, 0)
          FROM ledger_balance b FULL JOIN
               (SELECT e.shop_id, e.channel_id, p.currency, -sum(p.amount_cents) AS cents
                  FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
                 WHERE p.account = 'payable' GROUP BY 1, 2, 3) p USING (shop_id, channel_id, currency)
         WHERE coalesce(b.payable_cents, 0) <> coalesce(p.cents, 0)
        """
    )


@invariant("I35", "The last proof of the sealed books found nothing wrong.")
def the_past_is_as_it_was_sealed(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'proof ' || p.id || ': ' || (p.broken ->> 0) FROM ledger_proof p
         WHERE p.id = (SELECT max(id) FROM ledger_proof) AND jsonb_array_length(p.broken) > 0
        """
    )

"""Reads of the books."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import BigIntegerField, Sum

from ledger.models import Account, Balance, Posting
from marketplace import bulk


def payable(shop_id: int, channel_id: int, currency: str, *, lock: bool = False) -> int:
    """What a shop is owed on a channel, in cents: below zero where it owes. Locked, nobody moves it until the end of
    the transaction, and whoever looked before has to look again."""
    rows = Balance.objects.select_for_update() if lock else Balance.objects.all()
    row = rows.filter(shop_id=shop_id, channel_id=channel_id, currency=currency).first()
    return row.payable_cents if row else 0


def payables(channel_id: int, shop_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """What each of many shops is owed, by (shop, currency), in cents, locked like `payable` and in the
    order in which `post` moves them: neither waits for the other."""
    rows = bulk.fetch(
        """
        SELECT shop_id, currency, payable_cents FROM ledger_balance
         WHERE channel_id = %s AND shop_id = ANY(%s::bigint[]) ORDER BY shop_id, channel_id, currency FOR NO KEY UPDATE
        """,
        [channel_id, list(shop_ids)],
    )
    return {(shop_id, currency): cents for shop_id, currency, cents in rows}


class Standing(NamedTuple):
    """What an account holds for a shop in a currency, in cents, debit positive."""

    account: Account
    currency: str
    cents: int


def as_of(shop_id: int, at: datetime) -> list[Standing]:
    """What each account held for a shop at a moment, from the postings alone; empty accounts are left out."""
    rows = (
        Posting.objects.filter(entry__shop_id=shop_id, entry__at__lte=at)
        .values("account", "currency")
        .annotate(cents=Sum("amount_cents", output_field=BigIntegerField()))
        .order_by()
    )
    accounts = list(Account)
    found = [Standing(Account(row["account"]), row["currency"], row["cents"]) for row in rows if row["cents"]]
    return sorted(found, key=lambda one: (one.currency, accounts.index(one.account)))

"""The only writer of money: balanced entries, many at a time, each under its key."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from ledger.models import Account, Balance, Entry, EntryKind, Kind, Posting
from marketplace import bulk


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to post. `postings` are (account, kind, cents) with debits positive; zero amounts are left out."""

    key: str
    kind: EntryKind
    shop_id: int
    channel_id: int
    order_id: int | None
    currency: str
    at: datetime
    postings: Sequence[tuple[Account, Kind, int]]
    note: str = ""

    @property
    def amounts(self) -> list[tuple[Account, Kind, int]]:
        return [posting for posting in self.postings if posting[2]]


_ENTRY = ("key", "kind", "shop_id", "channel_id", "order_id", "at", "note")
_POSTING = ("entry_id", "shop_id", "account", "kind", "currency", "amount_cents")


@transaction.atomic(savepoint=False)
def post(entries: Iterable[NewEntry]) -> dict[str, int]:
    """Write entries with their postings and move the payable balances; answers {key: entry id}.

    An entry of nothing but zeros is not written. A key that exists already, or postings that do not sum to zero, make
    the database refuse the whole transaction (SET-04): money moves wholly or not at all.
    """
    wanted = [entry for entry in entries if entry.amounts]
    if not wanted:
        return {}
    ids = bulk.insert_numbered(
        Entry,
        _ENTRY,
        [(e.key, str(e.kind), e.shop_id, e.channel_id, e.order_id, e.at, e.note) for e in wanted],
    )
    bulk.insert(
        Posting,
        _POSTING,
        [
            (entry_id, e.shop_id, str(account), str(kind), e.currency, cents)
            for entry_id, e in zip(ids, wanted, strict=True)
            for account, kind, cents in e.amounts
        ],
    )
    _move_balances(wanted)
    return dict(zip((e.key for e in wanted), ids, strict=True))


def _move_balances(entries: Sequence[NewEntry]) -> None:
    """Add what was posted to the payable account, one locked row a shop, in the order of their keys."""
    changes: dict[tuple[int, int, str], int] = defaultdict(int)
    for entry in entries:
        for account, _, cents in entry.amounts:
            if account == Account.PAYABLE:
                changes[entry.shop_id, entry.channel_id, entry.currency] -= cents
    if not changes:
        return
    rows = sorted((*key, cents) for key, cents in changes.items())
    columns = [list(column) for column in zip(*rows, strict=True)]
    bulk.write(
        Balance,
        """
        INSERT INTO ledger_balance AS old (shop_id, channel_id, currency, payable_cents)
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::varchar[], %s::bigint[])
        ON CONFLICT (shop_id, channel_id, currency)
        DO UPDATE SET payable_cents = old.payable_cents + EXCLUDED.payable_cents
        """,
        columns,
    )


def cover(
    key: str, shop_id: int, channel_id: int, order_id: int, cents: int, currency: str, *, at: datetime
) -> dict[str, int]:
    """Have the operator pay so much of a refund for which a shop's balance is too low (REF-04); below zero, have it
    back of a refund that was not made (REF-06)."""
    return post(
        [
            NewEntry(
                key=f"cover:{key}" if cents > 0 else f"cover_undone:{key}",
                kind=EntryKind.COVER,
                shop_id=shop_id,
                channel_id=channel_id,
                order_id=order_id,
                currency=currency,
                at=at,
                postings=[
                    (Account.OPERATOR_COVER, Kind.MANUAL_CREDIT, cents),
                    (Account.PAYABLE, Kind.MANUAL_CREDIT, -cents),
                ],
            )
        ]
    )


def adjust(
    shop_id: int, channel_id: int, cents: int, currency: str, *, key: str, note: str, at: datetime
) -> dict[str, int]:
    """Credit (positive) or charge (negative) a shop by hand; the next statement takes it (SET-01, SET-08)."""
    kind = Kind.MANUAL_CREDIT if cents > 0 else Kind.MANUAL_INVOICE
    return post(
        [
            NewEntry(
                key=f"adjust:{key}",
                kind=EntryKind.ADJUSTMENT,
                shop_id=shop_id,
                channel_id=channel_id,
                order_id=None,
                currency=currency,
                at=at,
                postings=[(Account.OPERATOR_COVER, kind, cents), (Account.PAYABLE, kind, -cents)],
                note=note,
            )
        ]
    )

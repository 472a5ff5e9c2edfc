"""Closing a cycle: every order received and not held, one statement a shop, one payout (SET-01, SET-03, SET-08).

A run can be killed anywhere and started again: orders move into a statement in the transaction that closes them, a
statement is paid in the transaction that closes it, and both happen once.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from ledger import queries as books
from ledger.models import Account, EntryKind, Kind
from ledger.services import NewEntry, post
from marketplace import bulk
from marketplace.batches import work_through
from marketplace.models import Channel
from marketplace.refusals import Code, Outcome, Refusal, Tally
from messaging import services as messaging
from orders import services as orders
from orders.queries import to_settle
from orders.signals import Moved
from sellers.desk import PLATFORM, Actor
from settlements import payees, queries
from settlements.models import Cycle, Payout, Statement, StatementLine
from settlements.states import PAYOUT_TABLE, CarriedWhy, PayoutState, Section, StatementState

BATCH = 1000
_LOCK = 0x7365_7474


class StatementClosed(Exception):
    """A line came for a statement that has been closed meanwhile; its order waits for the next cycle."""


@contextmanager
def alone(channel: Channel) -> Iterator[bool]:
    """One run a channel at a time; a killed one lets go by dying."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, channel.id])
        taken: Any = cursor.fetchone()
    try:
        yield bool(taken[0])
    finally:
        if taken[0]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, channel.id])


def close_cycle(
    channel: Channel, closes_at: datetime, *, tally: Tally, by: Actor = PLATFORM, at: datetime
) -> bool:
    """Close one cycle of a channel, or go on where a killed run left it. Another run at work is left to it: that is
    answered with False."""
    with alone(channel) as mine:
        if mine:
            close_alone(channel, closes_at, tally=tally, by=by, at=at)
    return mine


def close_alone(channel: Channel, closes_at: datetime, *, tally: Tally, by: Actor, at: datetime) -> Cycle:
    """Close a cycle inside of `alone`; one that has ended stays as it is."""
    cycle, _ = Cycle.objects.get_or_create(channel=channel, closes_at=closes_at)
    if cycle.ended_at is None:
        _collect_orders(cycle, tally=tally, by=by, at=at)
        _collect_loose(cycle)
        _open_resting(cycle)
        _close_statements(cycle, at=at)
        cycle.ended_at = at
        cycle.save(update_fields=["ended_at"])
    return cycle


def _collect_orders(cycle: Cycle, *, tally: Tally, by: Actor, at: datetime) -> None:
    """Collect all that is free, then wait for what others had in hand since the run began: the next cycle is half
    a month away."""
    after: tuple[int, int] | None = None
    in_hand: list[int] = []
    started = time.monotonic()

    def due(_: object, count: int) -> Sequence[tuple[datetime, int]]:
        nonlocal after
        keys = to_settle(cycle.channel_id, cycle.closes_at, after, count)
        after = keys[-1] if keys else after
        return [(cycle.closes_at, order_id) for _, order_id in keys]

    def take(ids: list[int]) -> Outcome[Moved]:
        outcome = collect(cycle, ids, skip_locked=True, by=by, at=at)
        refused = [refusal for refusal in outcome.refused if refusal.code != Code.OUT_OF_ORDER]
        answered = {move.order_id for move in outcome.moved} | {refusal.id for refusal in refused}
        in_hand.extend(order_id for order_id in ids if order_id not in answered)
        return Outcome(outcome.moved, refused)

    def wait(ids: list[int]) -> Outcome[Moved]:
        return collect(cycle, ids, by=by, at=at + timedelta(seconds=time.monotonic() - started))

    def left(_: object, count: int) -> Sequence[tuple[datetime, int]]:
        ids, in_hand[:count] = in_hand[:count], []
        return [(cycle.closes_at, order_id) for order_id in ids]

    work_through("statements", due, take, at=at, tally=tally, size=BATCH)
    work_through("statements", left, wait, at=at, tally=tally, size=BATCH)


@transaction.atomic
def collect(
    cycle: Cycle, order_ids: Sequence[int], *, skip_locked: bool = False, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Close received orders into their shops' statements, all in one transaction (SET-03).

    Orders of a shop whose statement of this cycle is closed already (a run that died is finished later) are left for
    the next cycle. Raises StatementClosed when one closes while we look.
    """
    too_late = queries.of_closed_statements(cycle, order_ids)
    order_ids = [order_id for order_id in order_ids if order_id not in too_late]
    told = {"cycle": cycle.closes_at.isoformat()}
    outcome = orders.settle(
        {order_id: told for order_id in order_ids},  # noqa: C420 (one mapping, read by all)
        skip_locked=skip_locked,
        by=by,
        at=at,
    )
    moves = outcome.moved
    if not moves:
        return outcome
    statements = _open_statements(cycle, {(move.shop_id, move.currency) for move in moves})
    booked = queries.receipts([move.order_id for move in moves])
    nothing = (None, 0, 0, 0)
    bulk.insert(
        StatementLine,
        _LINE,
        [
            (
                move.shop_id,
                statements[move.shop_id, move.currency],
                move.order_id,
                booked.get(move.order_id, nothing)[0],
                str(Section.ORDERS),
                *booked.get(move.order_id, nothing)[1:],
                0,
            )
            for move in moves
        ],
    )
    return outcome


_SUMS = tuple(queries.SUMS)
_CENTS = ("orders_cents", "commission_cents", "commission_vat_cents", "other_cents")
_LINE = ("shop_id", "statement_id", "order_id", "entry_id", "section", *_CENTS)
_ZEROS = ", ".join(["opening_cents", *_SUMS, "payout_cents", "carried_cents", "lines_count"])


def _open_statements(cycle: Cycle, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The collecting statements of these shops, opened where missing and locked in the order of their keys."""
    keys = sorted(wanted)
    shops, currencies = [shop_id for shop_id, _ in keys], [currency for _, currency in keys]
    bulk.write(
        Statement,
        f"""
        INSERT INTO settlements_statement
            (shop_id, currency, channel_id, cycle_id, state, carried_why, to_invoice, {_ZEROS})
        SELECT shop_id, currency, %s, %s, %s, '', false, {_ZEROS.count(",") * "0, "}0
          FROM unnest(%s::bigint[], %s::varchar[]) AS wanted (shop_id, currency)
        ON CONFLICT DO NOTHING
        """,
        [cycle.channel_id, cycle.id, str(StatementState.COLLECTING), shops, currencies],
    )
    rows = bulk.fetch(
        """
        SELECT shop_id, currency, id, state FROM settlements_statement
         WHERE cycle_id = %s AND shop_id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
        """,
        [cycle.id, shops],
    )
    found = {(shop_id, currency): (row_id, state) for shop_id, currency, row_id, state in rows}
    if any(found[key][1] != StatementState.COLLECTING for key in keys):
        raise StatementClosed
    return {key: found[key][0] for key in keys}


_SECTIONS = {
    "refund": Section.REFUND,
    "refund_undone": Section.REFUND,
    "cover": Section.COVER,
    "adjustment": Section.ADJUSTMENT,
    "payout_failed": Section.RETURNED,
}


def _collect_loose(cycle: Cycle) -> None:
    """Take what moved payable balances outside of orders: adjustments, returned payouts, later refunds."""
    after = (0, 0)
    while batch := queries.loose_entries(cycle, after, BATCH):
        after = (batch[-1][1], batch[-1][0])
        with transaction.atomic():
            wanted = {(shop_id, currency) for _, shop_id, _, currency, *_ in batch}
            statements = _open_statements(cycle, wanted)
            bulk.insert(
                StatementLine,
                _LINE,
                [
                    (
                        shop_id,
                        statements[shop_id, currency],
                        order_id,
                        entry_id,
                        str(_SECTIONS[kind]),
                        0,
                        *cents,
                    )
                    for entry_id, shop_id, order_id, currency, kind, *cents in batch
                ],
            )


def _open_resting(cycle: Cycle) -> None:
    """A balance that was too small to pay is paid, without new lines, once the policy asks for less (SET-08)."""
    resting = queries.resting(cycle.channel, queries.minimum_payout(cycle.channel))
    for start in range(0, len(resting), BATCH):
        with transaction.atomic():
            _open_statements(cycle, set(resting[start : start + BATCH]))


def _close_statements(cycle: Cycle, *, at: datetime) -> None:
    after = 0
    while ids := queries.collecting(cycle, after, BATCH):
        after = ids[-1]
        close_statements(cycle, ids, at=at)


@transaction.atomic
def close_statements(cycle: Cycle, statement_ids: Sequence[int], *, at: datetime) -> int:
    """Add up statements, carry over or pay out, and post it; those closed already are passed over. Answers how many."""
    locked = bulk.lock(Statement, statement_ids)
    rows = [row for row in locked if row.state == StatementState.COLLECTING]
    if not rows:
        return 0
    sums = queries.sums([row.id for row in rows])
    carried = queries.carried(cycle.channel_id, [row.shop_id for row in rows])
    minimum = queries.minimum_payout(cycle.channel)
    payable = {row.shop_id for row in rows}
    if queries.needs_details(cycle.channel):
        payable = set(payees.told(payable))
    owed = books.payables(cycle.channel_id, [row.shop_id for row in rows])
    for row in rows:
        key = (row.shop_id, row.currency)
        most = owed.get(key, 0) if row.shop_id in payable else None
        _add_up(row, sums.get(row.id, _NO_LINES), carried.get(key, 0), minimum, most, at)
    names = (
        "id",
        "state",
        "opening_cents",
        *_SUMS,
        "payout_cents",
        "carried_cents",
        "carried_why",
        "to_invoice",
        "lines_count",
        "closed_at",
    )
    bulk.update(Statement, names, [tuple(getattr(row, name) for name in names) for row in rows])
    paid = [row for row in rows if row.payout_cents]
    bulk.insert(
        Payout,
        ("shop_id", "statement_id", "amount_cents", "currency", "state", "created_at", "answer"),
        [
            (row.shop_id, row.id, row.payout_cents, row.currency, str(PayoutState.IN_TRANSIT), at, "")
            for row in paid
        ],
    )
    post(_payment(row, at) for row in paid)
    told = [(row.shop_id, _told(row, cycle, sums.get(row.id, _NO_LINES)[1])) for row in rows]
    messaging.tell_shops("statement_closed", told, at=at)
    return len(rows)


_NO_LINES = (0,) * (2 + len(_SUMS))


def _add_up(
    row: Statement, sums: Sequence[int], opening_cents: int, minimum: int, most: int | None, at: datetime
) -> None:
    """Work out what is paid: the balance at the closing, less what refunds have spent of it since; `most` is what the
    shop is owed this moment, None where it cannot be paid at all."""
    row.opening_cents = opening_cents
    row.lines_count = sums[0]
    for name, cents in zip(_SUMS, sums[2:], strict=True):
        setattr(row, name, cents)
    cost = row.commission_cents + row.commission_vat_cents
    balance = opening_cents + row.orders_cents - cost + row.other_cents
    payout_cents = min(balance, most or 0)
    row.payout_cents = payout_cents if payout_cents >= minimum else 0
    row.carried_cents = balance - row.payout_cents
    row.carried_why = str(_why_carried(row.carried_cents, balance, minimum, most))
    row.to_invoice = bool(cost or row.commission_back_cents or row.commission_vat_back_cents)
    row.closed_at = at
    row.close()


def _why_carried(cents: int, balance: int, minimum: int, most: int | None) -> CarriedWhy:
    if not cents:
        return CarriedWhy.NONE
    if cents < 0:
        return CarriedWhy.NEGATIVE
    if balance < minimum:
        return CarriedWhy.MINIMUM
    return CarriedWhy.DETAILS if most is None else CarriedWhy.SPENT


def _payment(row: Statement, at: datetime) -> NewEntry:
    return NewEntry(
        key=f"statement:{row.id}",
        kind=EntryKind.STATEMENT,
        shop_id=row.shop_id,
        channel_id=row.channel_id,
        order_id=None,
        currency=row.currency,
        at=at,
        postings=[
            (Account.PAYABLE, Kind.PAYMENT, row.payout_cents),
            (Account.IN_TRANSIT, Kind.PAYMENT, -row.payout_cents),
        ],
    )


def _told(row: Statement, cycle: Cycle, orders_count: int) -> dict[str, Any]:
    return {
        "channel_id": row.channel_id,
        "closes_at": cycle.closes_at.isoformat(),
        "orders": orders_count,
        "payout_cents": row.payout_cents,
        "carried_cents": row.carried_cents,
        "carried_why": row.carried_why,
        "currency": row.currency,
    }


@transaction.atomic
def answer_payouts(payout_ids: Sequence[int], *, paid: bool, answer: str = "", at: datetime) -> Outcome[int]:
    """Write down what the bank said of payouts: paid, or failed and back in the shop's balance, which is told (SET-05).

    One that was paid can still fail: a shop's bank sends money back days after it has left ours. Anything else that has
    been answered already is refused as `answered`.
    """
    rows = list(Payout.objects.select_for_update().filter(id__in=payout_ids).order_by("id"))
    verb = "pay" if paid else "fail"
    refused = [Refusal(row.id, Code.ANSWERED) for row in rows if (verb, row.state) not in PAYOUT_TABLE]
    rows = [row for row in rows if (verb, row.state) in PAYOUT_TABLE]
    of = Statement.objects.select_related("cycle").in_bulk([row.statement_id for row in rows])
    entries = [_bank_said(row, of[row.statement_id].channel_id, paid, at) for row in rows]
    for row in rows:
        if paid:
            row.pay()
        else:
            row.fail()
        row.answered_at, row.answer = at, answer[:200]
        row.save(update_fields=["state", "answered_at", "answer"])
    post(entries)
    if not paid:
        told = [(row.shop_id, _came_back(row, of[row.statement_id])) for row in rows]
        messaging.tell_shops("payout_failed", told, at=at)
    return Outcome([row.id for row in rows], refused)


def _came_back(row: Payout, statement: Statement) -> dict[str, Any]:
    return {
        "channel_id": statement.channel_id,
        "closes_at": statement.cycle.closes_at.isoformat(),
        "statement_id": statement.id,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "answer": row.answer,
    }


def _bank_said(row: Payout, channel_id: int, paid: bool, at: datetime) -> NewEntry:
    """The entry of an answer, told before the payout moves: money that was paid comes back from the bank."""
    was = Account.BANK if row.state == PayoutState.PAID else Account.IN_TRANSIT
    to = Account.BANK if paid else Account.PAYABLE
    kind = EntryKind.PAYOUT_PAID if paid else EntryKind.PAYOUT_FAILED
    return NewEntry(
        key=f"{kind}:{row.id}",
        kind=kind,
        shop_id=row.shop_id,
        channel_id=channel_id,
        order_id=None,
        currency=row.currency,
        at=at,
        postings=[
            (was, Kind.PAYMENT, row.amount_cents),
            (to, Kind.PAYMENT, -row.amount_cents),
        ],
    )

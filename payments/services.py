"""Asking the provider: each charge and payback once, whatever is clicked twice or dies half-way (PAY-01 … PAY-05)."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ledger.models import Account, EntryKind, Kind
from ledger.services import NewEntry, post
from marketplace import bulk, clocks, outbox, queries
from marketplace.refusals import Code, Outcome, Refusal
from messaging import services as messaging
from orders import services as orders
from orders.models import Order
from orders.signals import Moved
from orders.states import State, Verb
from payments.models import Ask, Charge, Payback
from payments.providers import KEYED, Answer, NoAnswer, Provider, Status, provider
from payments.states import AskState
from sellers.desk import PLATFORM

ASK_AGAIN = timedelta(seconds=30)


def open_charges(moves: Sequence[Moved]) -> None:
    """Write down the charge of each accepted order; it waits, without alarm, while its order is held (PAY-01).

    An order worth nothing is not charged: it goes on at once.
    """
    for_nothing = [move.order_id for move in moves if move.total_cents == 0 and not move.held]
    to_charge = [move for move in moves if move.total_cents > 0]
    bulk.insert(
        Charge,
        ("shop_id", "order_id", "attempt", "key", "provider", "state", "amount_cents", "currency", "card", "due_at",
         "alert_at", "tries", "last_error", "reference", "message"),
        [
            (move.shop_id, move.order_id, 1, uuid.uuid4(), queries.channel(move.channel_id).provider,
             str(AskState.WAITING), move.total_cents, move.currency, move.payment_token,
             None if move.held else move.at, None if move.held else _alert_at(move), 0, "", "", "")
            for move in to_charge
        ],
    )  # fmt: skip
    if for_nothing:
        orders.debit_succeeded(for_nothing, by=PLATFORM, at=moves[0].at)


def _patience_ends(policy_id: int, channel_id: int, since: datetime) -> datetime:
    """When a debit that runs since then will have taken too long (PAY-03)."""
    window = queries.policy(policy_id).rules.debit_alert_after
    return clocks.deadline(since, window.span, queries.channel(channel_id).calendar)


def _alert_at(move: Moved) -> datetime:
    return _patience_ends(move.policy_id, move.channel_id, move.at)


def pause_charges(order_ids: Sequence[int]) -> None:
    """A hold stops a debit that has not been asked yet (SEMANTICS: holds)."""
    Charge.objects.filter(order_id__in=order_ids, state=AskState.WAITING).update(due_at=None, alert_at=None)


def resume_charges(moves: Sequence[Moved]) -> None:
    """The hold is over: the debits that it paused are asked now, and their hour of patience starts now.

    A second try still waits for its time, however often its order is held and let go.
    """
    free = {move.order_id: move for move in moves if not move.held}
    paused = Charge.objects.select_for_update().filter(
        order_id__in=list(free), state=AskState.WAITING, due_at=None
    )
    for charge in paused:
        move = free[charge.order_id]
        charge.due_at = max(move.at, charge.not_before) if charge.not_before else move.at
        charge.alert_at = _patience_ends(move.policy_id, move.channel_id, charge.due_at)
        charge.save(update_fields=["due_at", "alert_at"])
    charged = set(Charge.objects.filter(order_id__in=list(free)).values_list("order_id", flat=True))
    worthless = [
        order_id
        for order_id, move in free.items()
        if order_id not in charged and move.after == State.DEBIT and move.total_cents == 0
    ]
    if worthless:
        orders.debit_succeeded(worthless, by=PLATFORM, at=next(iter(free.values())).at)


def undo_charges(moves: Sequence[Moved]) -> None:
    """Orders were cancelled: what was not asked yet is void, what was charged is paid back (CAN-05).

    A charge whose answer is not known is left to be asked about; if it turns out to have succeeded it is paid back.
    """
    amounts = {move.order_id: move.data["refunded_cents"] for move in moves}
    for charge in Charge.objects.select_for_update().filter(order_id__in=list(amounts)).order_by("id"):
        if charge.state == AskState.WAITING:
            charge.make_void()
            charge.due_at = charge.alert_at = None
            charge.save(update_fields=["state", "due_at", "alert_at"])
        elif charge.state == AskState.SUCCEEDED and amounts[charge.order_id]:
            open_payback(charge, amounts[charge.order_id], at=moves[0].at)


def open_payback(charge: Charge, amount_cents: int, *, at: datetime) -> Payback:
    """Write down money to return of a charge; the clock asks the provider for it, once."""
    return Payback.objects.create(
        shop_id=charge.shop_id,
        order_id=charge.order_id,
        charge=charge,
        provider=charge.provider,
        amount_cents=amount_cents,
        currency=charge.currency,
        due_at=at,
    )


def ask_charge(charge: Charge, *, at: datetime) -> None:
    """Ask the provider for one claimed charge, or what became of it, and act on the answer.

    The question is written down before it is put, so that whoever finds it unanswered looks it up first.
    """
    fresh = begin(charge, at=at)
    if fresh is None:
        return
    desk = desk_of(charge)
    answer: Answer | None = Answer(Status.UNKNOWN)
    try:
        if fresh is False:
            answer = desk.look_up(charge.key, reference=charge.reference, at=at)
        if answer and answer.status == Status.UNKNOWN:
            answer = _charge(desk, charge, answer.reference, at=at)
    except NoAnswer as silence:
        answer = Answer(Status.PENDING, message=str(silence))
    if answer is not None:
        _heed_charge(charge, answer, at=at)


def desk_of(ask: Ask) -> Provider:
    """The provider that something is asked of, with the keys of its order's channel where it has such."""
    if ask.provider not in KEYED:
        return provider(ask.provider)
    ((channel_id,),) = bulk.fetch("SELECT channel_id FROM orders_order WHERE id = %s", [ask.order_id])
    return provider(ask.provider, queries.channel(channel_id).code)


def _charge(desk: Provider, charge: Charge, prepared: str, *, at: datetime) -> Answer | None:
    """Prepare the charge, save what it is called at the provider's, then have it done; None once it is not ours."""
    asked: dict[str, Any] = {
        "card": charge.card,
        "amount_cents": charge.amount_cents,
        "currency": charge.currency,
        "at": at,
    }
    ready = desk.prepare(charge.key, reference=prepared, **asked)
    if ready.status == Status.REFUSED:
        return ready
    if ready.reference != charge.reference:
        with transaction.atomic():
            if outbox.mine(charge) is None:
                return None
            bulk.update(Charge, ("id", "reference"), [(charge.id, ready.reference)])
    return desk.charge(charge.key, reference=ready.reference, **asked)


def begin(ask: Ask, *, at: datetime) -> bool | None:
    """Mark a claimed question as asked: True the first time, False when it was asked before, None to leave it be."""
    with transaction.atomic():
        row = outbox.mine(ask)
        if row is None or row.state not in (AskState.WAITING, AskState.ASKED):
            return None
        if row.state == AskState.ASKED:
            return False
        if row.due_at is None:  # paused by a hold since it was claimed
            bulk.update(type(row), ("id", "claimed_until", "claimed_by"), [(row.id, None, None)])
            return None
        row.ask()
        bulk.update(type(row), ("id", "state", "asked_at"), [(row.id, row.state, at)])
        return True


def _heed_charge(charge: Charge, answer: Answer, *, at: datetime) -> None:
    with transaction.atomic(), bulk.gathered():
        (order,) = orders.lock_orders([charge.order_id])
        row = outbox.mine(charge)
        if row is None:
            return
        # The answer is heard after whatever happened to the order while it was on its way.
        at = max(at, order.moved_at)
        if answer.status in (Status.PENDING, Status.UNKNOWN):
            outbox.again(row, at=at, error=answer.message, wait=ASK_AGAIN)
            return
        _same_amount(row, answer)
        if answer.status == Status.SUCCEEDED:
            _charged(row, at=at)
            answered(row, answer, at=at)
        else:
            answered(row, answer, at=at)
            _declined(row, answer.message, at=at)


def _same_amount(row: Ask, answer: Answer) -> None:
    """What was moved is what was asked; if not, nothing is posted and people see to it (PAY-01, PAY-03)."""
    if answer.amount_cents not in (None, row.amount_cents):
        raise ValueError(
            f"asked for {row.amount_cents}, and {answer.amount_cents} was moved: {answer.reference}"
        )


def answered(row: Ask, answer: Answer, *, at: datetime) -> None:
    if answer.status == Status.SUCCEEDED:
        row.succeed()
    else:
        row.refuse()
    row.answered_at, row.message = at, answer.message[:200]
    row.reference = answer.reference or row.reference
    row.due_at = row.claimed_until = row.claimed_by = None
    names: tuple[str, ...] = _ANSWERED
    if isinstance(row, Charge):
        row.alert_at = None
        names = (*_ANSWERED, "alert_at")
    bulk.update(type(row), names, [tuple(getattr(row, name) for name in names)])


_ANSWERED = ("id", "state", "answered_at", "reference", "message", "due_at", "claimed_until", "claimed_by")


def _charged(charge: Charge, *, at: datetime) -> None:
    """The money is there: the order goes on, or, if it was cancelled meanwhile, the money goes back by itself."""
    outcome = orders.debit_succeeded([charge.order_id], by=PLATFORM, at=at)
    if outcome.refused:
        orders.one(orders.late_charge([charge.order_id], by=PLATFORM, at=at))
        open_payback(charge, charge.amount_cents, at=at)


def _declined(charge: Charge, message: str, *, at: datetime) -> None:
    """Try again where the policy says so, else the order has failed (PAY-05)."""
    order = Order.objects.get(id=charge.order_id)
    rules = orders.rules(order)
    calendar = queries.channel(order.channel_id).calendar
    retry_at = clocks.deadline(at, rules.debit_retry_after.span, calendar)
    if order.state == State.DEBIT and charge.attempt <= rules.debit_retries:
        Charge.objects.create(
            shop_id=charge.shop_id,
            order=order,
            attempt=charge.attempt + 1,
            provider=charge.provider,
            amount_cents=charge.amount_cents,
            currency=charge.currency,
            card=charge.card,
            not_before=retry_at,
            due_at=None if order.held_at else retry_at,
            alert_at=None if order.held_at else _patience_ends(order.policy_id, order.channel_id, retry_at),
        )
    elif order.state == State.DEBIT:
        orders.one(orders.debit_failed([charge.order_id], reason=message, by=PLATFORM, at=at))


def ask_payback(payback: Payback, *, at: datetime) -> None:
    """Ask the provider to return money, once, and post it when it has (CAN-05)."""
    fresh = begin(payback, at=at)
    if fresh is None:
        return
    desk, charged = desk_of(payback), payback.charge.reference
    answer = Answer(Status.UNKNOWN)
    try:
        if fresh is False:
            answer = desk.look_up_payback(payback.key, reference=charged, at=at)
        if answer.status == Status.UNKNOWN:
            answer = desk.pay_back(
                payback.key,
                reference=charged,
                amount_cents=payback.amount_cents,
                currency=payback.currency,
                at=at,
            )
    except NoAnswer as silence:
        answer = Answer(Status.PENDING, message=str(silence))
    with transaction.atomic():
        (order,) = orders.lock_orders([payback.order_id])
        row = outbox.mine(payback)
        if row is None:
            return
        if answer.status == Status.PENDING:
            outbox.again(row, at=at, error=answer.message, wait=ASK_AGAIN)
            return
        _same_amount(row, answer)
        answered(row, answer, at=at)
        succeeded = answer.status == Status.SUCCEEDED
        verb = Verb.PAID_BACK if succeeded else Verb.NOT_PAID_BACK
        at = max(at, order.moved_at)
        orders.one(orders.note_payback(order.id, verb, cents=row.amount_cents, by=PLATFORM, at=at))
        if succeeded:
            post([_paid_back(row, at=at)])
        else:
            messaging.tell_operators("payback_refused", [_refused_payback(row)], at=at)


def _refused_payback(row: Payback) -> dict[str, Any]:
    return {
        "reference": row.order.reference,
        "order_id": row.order_id,
        "channel_id": row.order.channel_id,
        "shop": row.order.shop.name,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "message": row.message,
    }


@transaction.atomic
def pay_back_again(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Ask anew, under a new key, for money that the provider refused to return; each refusal once (CAN-05).

    One that was not refused, or was asked anew already, is refused as `wrong_state`.
    """
    rows = list(Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id"))
    anew = [row for row in rows if row.state == AskState.REFUSED and not row.asked_anew]
    for row in anew:
        row.asked_anew = True
        row.save(update_fields=["asked_anew"])
        open_payback(row.charge, row.amount_cents, at=at)
    refused = [Refusal(row.id, Code.WRONG_STATE) for row in rows if row not in anew]
    return Outcome([row.id for row in anew], refused)


def _paid_back(row: Payback, *, at: datetime) -> NewEntry:
    word = Kind.REFUND_ORDER_AMOUNT
    return NewEntry(
        key=f"paid_back:{row.id}",
        kind=EntryKind.PAID_BACK,
        shop_id=row.shop_id,
        channel_id=row.order.channel_id,
        order_id=row.order_id,
        currency=row.currency,
        at=at,
        postings=[(Account.REFUND_DUE, word, row.amount_cents), (Account.PROVIDER, word, -row.amount_cents)],
    )


def alert_stuck(*, at: datetime) -> int:
    """Tell the operators of debits that have taken too long (PAY-03); answers how many. Each is told once."""
    with transaction.atomic():
        stuck = list(
            Charge.objects.filter(alert_at__lte=at, state__in=[AskState.WAITING, AskState.ASKED])
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("order__shop")
            .order_by("alert_at", "id")[:500]
        )
        Charge.objects.filter(id__in=[charge.id for charge in stuck]).update(alert_at=None, alerted_at=at)
        messaging.tell_operators(
            "debit_stuck",
            [
                {
                    "reference": charge.order.reference,
                    "order_id": charge.order_id,
                    "channel_id": charge.order.channel_id,
                    "shop": charge.order.shop.name,
                    "amount_cents": charge.amount_cents,
                    "currency": charge.currency,
                    "since": (charge.order.accepted_at or charge.created_at).isoformat(),
                }
                for charge in stuck
            ],
            at=at,
        )
        return len(stuck)


@transaction.atomic
def hurry(charge_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Have open charges asked, or asked about, at `at` instead of at their turn (PAY-03); answers their ids.

    Refused as `wrong_state` when it is answered or void, `held` while its order waits.
    """
    open_states = (AskState.WAITING, AskState.ASKED)
    rows = Charge.objects.select_for_update(of=("self",)).filter(id__in=charge_ids).order_by("id")
    hurried, refused = [], []
    for charge in rows.select_related("order"):
        if charge.state not in open_states:
            refused.append(Refusal(charge.id, Code.WRONG_STATE))
        elif charge.state == AskState.WAITING and charge.order.held_at is not None:
            refused.append(Refusal(charge.id, Code.HELD))
        else:
            hurried.append(charge.id)
    Charge.objects.filter(id__in=hurried).update(due_at=at)
    return Outcome(hurried, refused)


@transaction.atomic
def hurry_paybacks(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Have paybacks that wait for an answer asked about at `at`; refused as `wrong_state` when they have it."""
    rows = Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id")
    open_ids = [row.id for row in rows if row.state in (AskState.WAITING, AskState.ASKED)]
    Payback.objects.filter(id__in=open_ids).update(due_at=at)
    return Outcome(open_ids, [Refusal(pk, Code.WRONG_STATE) for pk in payback_ids if pk not in open_ids])

"""An order's money, told a second time: whatever happens to it, the books hold exactly what a page of sums holds.

The model knows the table of SEMANTICS in whole cents and nothing of the code: what was charged, what went back, what of
the commission came back with it, what the operator covered, and what was paid out. After every step each account is
compared with it, and every invariant is checked.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.models import Account, Posting
from ledger.queries import payable
from marketplace.models import Channel
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused
from orders import services
from orders.models import Order
from orders.states import State
from payments.admin_paybacks import refused_paybacks
from payments.models import SandboxBook
from payments.services import pay_back_again
from refunds import refunding, return_ends, return_verbs, returns
from refunds.amounts import Part
from refunds.models import Refund, ReturnRequest
from refunds.queries import left_of
from refunds.refunding import Wish
from refunds.returns import ask_return
from refunds.states import OPEN, RefundState, ReturnState
from sellers.desk import Actor
from sellers.models import Shop
from settlements.models import Payout
from settlements.services import answer_payouts
from settlements.states import PayoutState
from tests import kept_checks
from tests.conftest import AT, CLOCK, CUSTOMER, JAR, OPERATOR, PLATE, SELLER, basket
from tests.orders.lives import SEUR, tick
from tests.refunds.giving_back import DAY, HOW
from tests.rounds import rounds, soaks

pytestmark = [*soaks, pytest.mark.django_db, pytest.mark.rule("SET-04", "REF-07", "REF-09")]

BROKEN = Why("damaged")
WINDOW = timedelta(days=200)
REFUNDABLE = (State.SHIPPED, State.DELIVERED, State.EXCEPTION, State.RECEIVED, State.CLOSED)
ENDED = (State.RECEIVED, State.CLOSED, State.RETURNED)


def half_up(cents: int, basis_points: int) -> int:
    return (2 * cents * basis_points + 10_000) // 20_000


def fee(base_cents: int) -> tuple[int, int]:
    """Commission and its VAT under the preset's policy: 12 % of all, and 21 % of that."""
    commission = half_up(base_cents, 1200)
    return commission, half_up(commission, 2100)


def attempt[T](act: Callable[[], T]) -> T | Code:
    """What was asked for, or why it is refused."""
    try:
        return act()
    except MoveRefused as refused:
        return refused.refusal.code


class Money(RuleBasedStateMachine):
    """One order of 84.00 EUR from the moment it was placed, and everything that moves its money."""

    channel: Channel
    shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.space = transaction.atomic()
        self.space.__enter__()
        placed = services.place(self.channel, [basket(self.shop, JAR, PLATE, at=AT, number=uuid.uuid4().hex)])
        self.order_id = placed.moved[0].order_id
        self.found = str(self.order.state)
        self.jar_id = self.order.lines.order_by("id")[0].id
        self.at = AT
        self.charged = self.back = 0
        self.received = self.quiet = False
        self.given = (0, 0)
        self.books: Counter[str] = Counter()
        self.owed = self.travelling = self.paid = 0

    def teardown(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)
        self.space.__exit__(None, None, None)

    @property
    def order(self) -> Order:
        return Order.objects.get(id=self.order_id)

    def later(self, hours: float = 1) -> None:
        self.at += timedelta(hours=hours)

    def state(self) -> str:
        """Of the order as the last step left it: every step ends by comparing its books, which reads it."""
        return self.found

    @precondition(lambda self: self.state() in ENDED)
    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.later(24 * days)
        self.quiet = True

    @precondition(lambda self: self.state() == State.PENDING_ACCEPTANCE)
    @rule()
    def accept(self) -> None:
        self.later()
        services.one(services.accept([self.order_id], by=SELLER, at=self.at))

    @precondition(lambda self: self.state() == State.DEBIT)
    @rule(goes_back=st.booleans())
    def debit(self, goes_back: bool) -> None:
        self.later()
        tick("charge", self.at)
        self.charged = 8400
        self.books.update(provider=8400, pending=-8400)
        if not goes_back:
            SandboxBook.objects.filter(kind="charge").update(card="norefund")

    @precondition(lambda self: self.state() == State.AWAITING_SHIPMENT)
    @rule()
    def ship(self) -> None:
        self.later()
        parcel = services.Parcel(carrier_name=SEUR, tracking="1")
        services.one(services.ship({self.order_id: parcel}, by=SELLER, at=self.at))
        self.shipped_at = self.at

    @precondition(lambda self: self.state() == State.SHIPPED)
    @rule(arrives=st.booleans())
    def deliver(self, arrives: bool) -> None:
        self.later()
        if arrives:
            services.one(services.deliver([self.order_id], by=OPERATOR, at=self.at))
        else:
            services.one(
                services.report_exception([self.order_id], reason="Ausente", by=OPERATOR, at=self.at)
            )

    @precondition(lambda self: self.state() == State.EXCEPTION)
    @rule(again=st.booleans())
    def decide(self, again: bool) -> None:
        self.later()
        if again:
            services.one(services.retry([self.order_id], by=SELLER, at=self.at))
            return
        services.one(services.return_to_sender([self.order_id], by=SELLER, at=self.at))
        rest = self.charged - self.back
        self.books.update(pending=rest, refund_due=-rest)
        self.back = self.charged

    def coming_back(self) -> ReturnRequest | None:
        return ReturnRequest.objects.filter(order_id=self.order_id, state__in=OPEN).first()

    @precondition(lambda self: self.state() == State.DELIVERED and self.at < self.shipped_at + 10 * DAY)
    @rule()
    def ask_back(self) -> None:
        """The customer wants to give a jar back: while it is on its way, nothing is received nor settled."""
        self.later()
        before = returns.requests_of(self.order)
        there = {one.line.id: one.units for one in returns.left_of(list(self.order.lines.all()), before, {})}
        if self.coming_back() is not None or not there.get(self.jar_id):
            return
        jar = {self.jar_id: 1}
        asked = attempt(
            lambda: ask_return(self.order_id, jar, reason="changed-mind", text="", by=CUSTOMER, at=self.at)
        )
        if left_of(self.order)[self.jar_id].goods.left_cents == 0:
            assert asked == Code.TOO_MANY_BACK
        else:
            assert isinstance(asked, ReturnRequest)
            return_verbs.accept(asked.id, instructions=HOW, by=SELLER, at=self.at)

    @precondition(lambda self: self.coming_back() is not None)
    @rule(as_sent=st.booleans(), good=st.booleans())
    def comes_back(self, as_sent: bool, good: bool) -> None:
        """Looked at, it is refunded by the rule of refunds; one that never comes is forgotten."""
        self.later()
        row = self.coming_back()
        assert row is not None
        if row.state == ReturnState.INSTRUCTED and as_sent:
            return_verbs.receive(row.id, by=SELLER, at=self.at)
            return_verbs.inspect(row.id, {self.jar_id: 1}, by=SELLER, at=self.at)
        elif row.state == ReturnState.INSTRUCTED:
            self.later(24 * 15)
            return_verbs.lapse([row.id], by=CLOCK, at=self.at)
        elif good and row.state == ReturnState.INSPECTED and not self.waiting():
            parcel = return_ends.Replacement(carrier_name="SEUR", tracking="2")
            return_ends.replace(row.id, parcel, by=SELLER, at=self.at)

    @precondition(
        lambda self: self.state() in (State.SHIPPED, State.DELIVERED) and self.coming_back() is None
    )
    @rule()
    def receive(self) -> None:
        self.later(24 * 22)
        tick("receive", self.at)
        assert self.order.state == State.RECEIVED
        rest = self.charged - self.back
        commission, vat = (one - other for one, other in zip(fee(self.charged), self.given, strict=True))
        self.books.update(
            pending=rest, payable=commission + vat - rest, commission=-commission, commission_vat=-vat
        )
        self.owed += rest - commission - vat
        self.received = True

    def fee_back(self, cents: int) -> tuple[int, int]:
        """What of the commission and its VAT comes back with so much more: as much as makes the rest what it should
        be."""
        whole, left = fee(self.charged), fee(self.charged - self.back - cents)
        return whole[0] - left[0] - self.given[0], whole[1] - left[1] - self.given[1]

    def moved(self, sign: int, cents: int, commission: int, vat: int) -> None:
        """The entry of a refund, or the other way round."""
        cost = cents - commission - vat
        if self.received:
            self.books.update(payable=sign * cost, commission=sign * commission, commission_vat=sign * vat)
            self.owed -= sign * cost
        else:
            self.books.update(pending=sign * cents)
        self.books.update(refund_due=-sign * cents)
        self.given = (self.given[0] + sign * commission, self.given[1] + sign * vat)
        self.back += sign * cents

    def make(self, wish: Wish, back: ReturnRequest | None, by: Actor) -> Refund:
        if back is not None:
            return return_ends.refund(back.id, wish, by=by, at=self.at)
        return refunding.refund(self.order_id, wish, by=by, at=self.at)

    def refunded(self, cents: int, covered: int) -> None:
        self.covered(covered)
        self.moved(1, cents, *self.fee_back(cents))

    def covered(self, cents: int) -> None:
        self.books.update(operator_cover=cents, payable=-cents)
        self.owed += cents

    @precondition(lambda self: self.state() in REFUNDABLE and self.back < self.charged)
    @rule(share=st.integers(1, 100), which=st.integers(0, 1), cover=st.booleans(), operator=st.booleans())
    def refund(self, share: int, which: int, cover: bool, operator: bool) -> None:
        self.later()
        lines = [one for one in left_of(self.order).values() if one.cents]
        line = lines[which % len(lines)]
        back = ReturnRequest.objects.filter(order_id=self.order_id, state=ReturnState.INSPECTED).first()
        goods, shipping = (one.left_cents * share // 100 for one in (line.goods, line.shipping))
        parts = (Part(line.line_id, 1, goods, shipping),) if goods + shipping and share < 100 else None
        cents = goods + shipping if parts else self.charged - self.back
        commission, vat = self.fee_back(cents)
        short = max(cents - commission - vat - max(self.owed, 0), 0) if self.received else 0
        wish = Wish(uuid.uuid4(), BROKEN, parts, cover=cover)
        by = OPERATOR if operator else SELLER
        through = back if back is not None and line.line_id == self.jar_id and not self.waiting() else None
        made = attempt(lambda: self.make(wish, through, by))
        if self.at > self.shipped_at + WINDOW:
            assert made == Code.DEADLINE_PASSED
            return
        if not isinstance(made, Refund):
            assert (made, short > 0, cover) == (Code.BALANCE_TOO_LOW, True, False)
            return
        assert (made.amount_cents, made.covered_cents) == (cents, short)
        if made.state == RefundState.ASKED:
            assert (short > 0, operator) == (True, False)
            return
        self.refunded(cents, short)

    def waiting(self) -> Refund | None:
        return Refund.objects.filter(order_id=self.order_id, state=RefundState.ASKED).first()

    @precondition(lambda self: self.waiting() is not None)
    @rule(yes=st.booleans())
    def answer(self, yes: bool) -> None:
        self.later()
        asked = self.waiting()
        assert asked is not None
        if not yes:
            refunding.decline(asked.id, answer="No", by=OPERATOR, at=self.at)
            return
        done = attempt(lambda: refunding.cover(asked.id, by=OPERATOR, at=self.at))
        if not isinstance(done, Refund):
            assert done in (Code.MORE_THAN_LEFT, Code.NOTHING_TO_REFUND)
            return
        self.refunded(done.amount_cents, done.covered_cents)

    @precondition(lambda self: self.books[Account.REFUND_DUE] < 0)
    @rule(asked_again=st.booleans())
    def the_provider_answers(self, asked_again: bool) -> None:
        """An ended order owes what was refused as before; an operator may have it asked for with another card."""
        self.later()
        if asked_again:
            SandboxBook.objects.filter(kind="charge").update(card="ok")
            pay_back_again(list(refused_paybacks().values_list("id", flat=True)), at=self.at)
        standing = list(Refund.objects.filter(order_id=self.order_id, state=RefundState.DUE).order_by("id"))
        due = -self.books[Account.REFUND_DUE]
        tick("payback", self.at)
        failed = {one.id for one in standing if Refund.objects.get(id=one.id).state == RefundState.FAILED}
        assert not (failed and self.state() == State.RETURNED)
        undone = sum(one.amount_cents for one in standing if one.id in failed)
        for one in standing:
            if one.id in failed:
                self.moved(-1, one.amount_cents, one.commission_cents, one.commission_vat_cents)
                self.covered(-one.covered_cents)
        refused = SandboxBook.objects.filter(kind="charge", card="norefund").exists()
        paid = 0 if refused else due - undone
        self.books.update(refund_due=paid, provider=-paid)

    @precondition(lambda self: self.state() == State.RECEIVED or (self.state() == State.CLOSED and self.owed))
    @rule()
    def settle(self) -> None:
        self.later(24 * 16)
        tick("statements", self.at)
        if self.order.state == State.CLOSED and self.owed > 0:
            self.books_of_shop_move_to_the_bank()

    def books_of_shop_move_to_the_bank(self) -> None:
        self.travelling += self.owed
        self.owed = 0

    @precondition(lambda self: self.travelling > 0)
    @rule(paid=st.booleans())
    def the_bank_answers(self, paid: bool) -> None:
        self.later()
        ids = list(Payout.objects.filter(state=PayoutState.IN_TRANSIT).values_list("id", flat=True))
        answer_payouts(ids, paid=paid, at=self.at)
        if paid:
            self.paid += self.travelling
        else:
            self.owed += self.travelling
        self.travelling = 0

    @precondition(lambda self: self.paid > 0)
    @rule()
    def a_bank_sends_back_what_was_paid(self) -> None:
        self.later()
        answer_payouts(
            list(Payout.objects.filter(state=PayoutState.PAID).values_list("id", flat=True)),
            paid=False,
            at=self.at,
        )
        self.owed += self.paid
        self.paid = 0

    @invariant()
    def the_books_hold_what_the_sums_hold(self) -> None:
        found: Counter[str] = Counter()
        rows = Posting.objects.filter(entry__order_id=self.order_id).values_list("account", "amount_cents")
        for account, cents in rows:
            found[account] += cents
        wanted = {account: cents for account, cents in self.books.items() if cents}
        assert {account: cents for account, cents in found.items() if cents} == wanted
        order = self.order
        self.found = str(order.state)
        assert (order.charged_cents, order.refunded_cents) == (self.charged, self.back)
        assert payable(self.shop.id, self.channel.id, "EUR") == self.owed
        whole = Posting.objects.filter(shop_id=self.shop.id)
        bank = sum(whole.filter(account=Account.BANK).values_list("amount_cents", flat=True))
        transit = sum(whole.filter(account=Account.IN_TRANSIT).values_list("amount_cents", flat=True))
        assert (-bank, -transit) == (self.paid, self.travelling)

    @invariant()
    def every_invariant_holds(self) -> None:
        if self.quiet:
            self.quiet = False
            return
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert kept_checks.failing() == []


def test_whatever_happens_the_books_hold_what_was_done(channel: Channel, shop: Shop) -> None:
    machine: Any = type("OneMoney", (Money,), {"channel": channel, "shop": shop})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=rounds(60, 5000),
            stateful_step_count=rounds(30, 60),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

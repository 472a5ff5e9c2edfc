"""The shop window: orders of the first shop placed so that, at this very moment, every state can be seen there.

Their moments are counted back from now: what is left of an acceptance, of a day, of a working day.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from marketplace import clocks
from marketplace.policy import Role, Settings
from orders.states import HoldKind, Verb
from playback.demo.claims import TROUBLES
from playback.demo.goods import PEOPLE, TRADERS, customer
from playback.demo.lives import Hours, Purchase, Share, Step

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)

type LeftAt = Callable[[datetime], timedelta]


class Window:
    """Arranges the orders; `rules` give the windows, `hours` the calendar, `closing` the last settlement."""

    def __init__(self, hours: Hours, rules: Settings, *, closing: datetime | None, now: datetime) -> None:
        self.hours, self.rules, self.closing, self.now = hours, rules, closing, now
        self._dice = random.Random("window")
        self._trader = TRADERS[0]
        midnight = hours.at(hours.at(now, 12, 0) + 24 * _HOUR, 0, 0)
        self._rest_of_day = midnight - now

    def arrange(self) -> list[Purchase]:
        """All of them."""
        to_accept, to_ship = [*self._to_accept()], [*self._to_ship()]
        return [
            *to_accept, *to_ship, *self._waiting(), *self._in_debit(), *self._ended(), *self._received(),
            *self._troubled(), *self._undelivered(to_ship[0]), *self._asked(to_ship),
        ]  # fmt: skip

    def _buy(
        self,
        placed_at: datetime,
        *steps: Step,
        lines: tuple[int, ...] = (1,),
        card: str = "visa-ok",
        missing: int = 0,
    ) -> Purchase:
        """A purchase of so many units of so many articles of the shop."""
        articles = self._dice.sample(self._trader.articles, len(lines))
        share = Share(self._trader, tuple(zip(articles, lines, strict=True)), list(steps))
        return Purchase(placed_at, self._dice.randrange(1, PEOPLE), [share], card, missing)

    def _to_accept(self) -> Iterator[Purchase]:
        """Pending acceptance: two whose time ends today, the others over the next days."""
        window = self.rules.accept_within.span
        today = self._rest_of_day
        lefts = [max(15 * _MINUTE, today * 0.35), max(25 * _MINUTE, today * 0.8)]
        lefts += [timedelta(hours=hours) for hours in (28, 39, 47, 60, 70.5)]
        for n, left in enumerate(lefts):
            placed_at = self._started(lambda moment: self._deadline(moment, window) - self.now, left)
            purchase = self._buy(placed_at, lines=((1,), (2, 1), (1,), (1, 1, 2), (2,), (1,), (1, 1))[n])
            purchase.loud = n >= 5
            yield purchase

    def _deadline(self, start: datetime, span: clocks.Span) -> datetime:
        return clocks.deadline(start, span, self.hours.calendar)

    def _accepted(self, working_hours_left: float) -> datetime:
        """When an order was accepted that has so many hours of its shipping window left."""
        span = self.rules.ship_within.span
        wanted = timedelta(hours=working_hours_left)

        def left(moment: datetime) -> timedelta:
            due = self._deadline(moment, span)
            if due < self.now:
                return -clocks.elapsed(due, self.now, span.clock, self.hours.calendar)
            return clocks.elapsed(self.now, due, span.clock, self.hours.calendar)

        return self._started(left, wanted)

    def _started(self, left: LeftAt, wanted: timedelta) -> datetime:
        """The moment from which `wanted` is left now; the more recent, the more is left."""
        early, late = self.now - timedelta(days=70), self.now
        while late - early > timedelta(seconds=20):
            middle = early + (late - early) / 2
            if left(middle) < wanted:
                early = middle
            else:
                late = middle
        return late

    def _order(
        self,
        accepted_at: datetime,
        *steps: Step,
        refused: str = "",
        lines: tuple[int, ...] = (1,),
        card: str = "visa-ok",
    ) -> Purchase:
        placed_at = accepted_at - timedelta(minutes=self._dice.randrange(40, 500))
        return self._buy(placed_at, Step(accepted_at, Verb.ACCEPT, refused), *steps, lines=lines, card=card)

    def _to_ship(self) -> Iterator[Purchase]:
        """Awaiting shipment: one late, some due today, the others with time to spare; two wait for the carrier."""
        day = self._rest_of_day / _HOUR
        lefts = [-5.0, *(max(0.5, day * part) for part in (0.2, 0.45, 0.7, 0.9)), 25, 27, 31, 34, 38, 43, 46]
        for n, left in enumerate(lefts):
            accepted_at = self._accepted(left)
            lines = ((1,), (1, 1), (1,), (2, 1), (1,), (3,))[n % 6]
            purchase = self._order(accepted_at, lines=lines, refused="2" if n == 7 else "")
            if n == 3:
                handed_over = max(accepted_at + 10 * _MINUTE, self.now - 3 * _HOUR)
                purchase.shares[0].steps.append(Step(handed_over, Verb.SHIP, part=True))
            purchase.loud = n == 11
            yield purchase
        for left, ago in ((29, 3), (35, 1)):
            ready = Step(self.now - ago * _HOUR, Verb.READY)
            yield self._order(min(self._accepted(left), ready.at - _HOUR), ready)

    def _waiting(self) -> Iterator[Purchase]:
        """On hold: stock, a pre-sale, an address, the operator's word, and payments that do not add up."""
        until = self.hours.at(self.now + timedelta(days=9), 0, 0)
        kinds = (HoldKind.STOCK, HoldKind.PRESALE, HoldKind.ADDRESS, HoldKind.OPERATOR)
        for n, kind in enumerate(kinds):
            accepted_at = self.now - (50 + 7 * n) * _HOUR
            by = Role.OPERATOR if kind == HoldKind.OPERATOR else Role.SELLER
            date = until if kind == HoldKind.PRESALE else None
            yield self._order(accepted_at, Step(accepted_at + 2 * _HOUR, Verb.HOLD, kind, by, date))
        unpaid = self._buy(self.now - 20 * _HOUR, missing=1000)
        unpaid.loud = True
        yield unpaid
        accepted = Step(self.now - 18 * _HOUR, Verb.ACCEPT)
        yield self._buy(self.now - 26 * _HOUR, accepted, missing=500, lines=(2,))

    def _in_debit(self) -> Iterator[Purchase]:
        """A debit that has taken too long and shows as stuck, and one that has just been asked for."""
        patience = self.rules.debit_alert_after.span.length
        for accepted_at, card in (
            (self.now - patience - 4 * _MINUTE, "visa-late"),
            (self.now - 5 * _SECOND, "visa-slow"),
        ):
            purchase = self._order(accepted_at, card=card, lines=(1, 1))
            purchase.loud = True
            yield purchase

    def _ended(self) -> Iterator[Purchase]:
        """Refused, refused by the bank, cancelled after the debit, cancelled because nobody answered."""
        yesterday = self.now - 25 * _HOUR
        yield self._buy(yesterday - 3 * _HOUR, Step(yesterday, Verb.REFUSE, "Sin existencias"))
        yield self._order(yesterday, card="visa-refused")
        sorry = Step(yesterday + 5 * _HOUR, Verb.CANCEL, "El cliente lo pide", Role.OPERATOR)
        yield self._order(yesterday, sorry, lines=(1, 1))
        early = self._started(
            lambda moment: self._deadline(moment, self.rules.accept_within.span) - self.now, -6 * _HOUR
        )
        yield self._buy(early)

    def _counted_back(self, received_at: datetime) -> datetime:
        """When an order left that counts as received at a moment."""
        span = self.rules.receive_after.span
        return self._started(lambda moment: self._deadline(moment, span) - received_at, timedelta())

    def _received(self) -> Iterator[Purchase]:
        """Received since the last settlement, for the next one to take."""
        since = self.closing or self.now - 4 * _HOUR
        for part in (0.3, 0.6):
            received_at = max(since + (self.now - since) * part, self.now - 5 * _HOUR * (1 - part))
            shipped_at = self._counted_back(received_at)
            accepted_at = shipped_at - 20 * _HOUR
            yield self._order(accepted_at, Step(shipped_at, Verb.SHIP), lines=(1, 1))

    def _troubled(self) -> Iterator[Purchase]:
        """Delivered, and something is wrong: an incident in each place that one can be in."""
        by = {
            Verb.INCIDENT_OPENED: Role.CUSTOMER,
            Verb.INCIDENT_RESOLVED: Role.SELLER,
            Verb.INCIDENT_SENT_BACK: Role.OPERATOR,
            Verb.INCIDENT_CLOSED: Role.OPERATOR,
        }
        for n, trouble in enumerate(TROUBLES):
            shipped_at = self.now - trouble.left
            steps = [
                Step(shipped_at, Verb.SHIP),
                Step(shipped_at + 30 * _HOUR, Verb.DELIVER, by=Role.PLATFORM),
                *(Step(self.now - ago, verb, str(n), by[verb]) for ago, verb in trouble.acts),
            ]
            if trouble.answer:
                opened_at = self.now - trouble.acts[0][0]
                steps.append(Step(opened_at + 3 * _HOUR, Verb.INCIDENT_OPENED, str(n)))
            yield self._order(shipped_at - 20 * _HOUR, *steps, lines=((1,), (1, 1))[n % 2])

    def _undelivered(self, late: Purchase) -> Iterator[Purchase]:
        """Parcels that nobody took, one of them where one that is late could have it; one was tried again, and one
        has gone on to another order."""
        for reason, ago in (("refused", 44), ("incomplete-address", 26)):
            yield self._order(self.now - 5 * _DAY, *self._failed(reason, ago * _HOUR))
        yield self._alike(late, self.now - 5 * _DAY, *self._failed("absent", 5 * _HOUR))
        again = Step(self.now - 30 * _HOUR, Verb.RETRY)
        yield self._order(self.now - 5 * _DAY, *self._failed("no-telephone", 50 * _HOUR), again)
        other = self._order(self.now - 30 * _HOUR)
        yield other
        goes_on = Step(self.now - 3 * _HOUR, Verb.REDIRECT)
        yield self._alike(other, self.now - 6 * _DAY, *self._failed("refused", 2 * _DAY), goes_on)

    def _failed(self, reason: str, ago: timedelta) -> tuple[Step, Step]:
        failed = Step(self.now - ago, Verb.REPORT_EXCEPTION, reason, Role.OPERATOR)
        return Step(self.now - ago - 40 * _HOUR, Verb.SHIP), failed

    def _alike(self, other: Purchase, accepted_at: datetime, *steps: Step) -> Purchase:
        """The same goods, bought by somebody of the same area."""
        (share,) = other.shares
        area = customer(other.customer).postal_code[:2]
        near = (n for n in range(1, PEOPLE) if customer(n).postal_code[:2] == area and n != other.customer)
        steps = (Step(accepted_at, Verb.ACCEPT), *steps)
        return Purchase(accepted_at - _HOUR, next(near), [Share(share.trader, share.bought, list(steps))])

    def _asked(self, to_ship: list[Purchase]) -> Iterator[Purchase]:
        """What one may not do and asks for: customers ask to cancel; two wait for their answer, one was granted,
        one was not."""
        asked = self.now - 100 * _MINUTE
        to_ship[1].shares[0].steps += [
            Step(asked, Verb.REQUEST_MADE, "customer-asks", Role.CUSTOMER),
        ]
        to_ship[8].shares[0].steps += [Step(asked, Verb.REQUEST_MADE, "customer-asks", Role.CUSTOMER)]
        to_ship[6].shares[0].steps += [
            Step(asked, Verb.REQUEST_MADE, "impossible-address", Role.CUSTOMER),
            Step(asked + 40 * _MINUTE, Verb.REQUEST_DECLINED),
        ]
        granted = Step(self.now - 20 * _HOUR, Verb.REQUEST_APPROVED)
        made = Step(self.now - 22 * _HOUR, Verb.REQUEST_MADE, "customer-asks", Role.CUSTOMER)
        yield self._order(self.now - 30 * _HOUR, made, granted)

"""What happens to the demonstration's orders: who buys what, and what the shop, the carrier and the operator do.

Everything is told beforehand as steps with their moments; nothing is written here. The proportions are those of a
marketplace in good health: nearly everything is accepted, about one order in a hundred lapses, one is refused in part.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marketplace.clocks import Calendar
from marketplace.policy import Role
from orders.states import HoldKind, Verb
from playback.demo.goods import PEOPLE, TRADERS, Article, Trader

DAYS = 70
_HOUR = timedelta(hours=1)
_BUSY_HOURS = (1, 1, 0, 0, 0, 0, 1, 2, 4, 6, 7, 7, 6, 5, 5, 6, 6, 6, 7, 8, 9, 9, 6, 3)
_CARDS = {"visa-ok": 952, "visa-slow": 35, "visa-refused": 7, "visa-lost": 4, "visa-down": 2}
_REFUSALS = ("out-of-stock", "wrong-price", "area-not-served")
_CANCELLATIONS = ("customer-asks", "out-of-stock", "impossible-address")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to an order. `told` is a reason's code, a kind of hold, or for an answer the refused line."""

    at: datetime
    verb: Verb
    told: str = ""
    by: Role = Role.SELLER
    until: datetime | None = None
    part: bool = False


@dataclass(slots=True)
class Share:
    """One shop's part of a purchase: what was bought there, and the life of the order it becomes."""

    trader: Trader
    bought: tuple[tuple[Article, int], ...]
    steps: list[Step] = field(default_factory=list)

    def divisible(self, refused: str) -> bool:
        """Whether what is accepted can go in two parcels."""
        return sum(units for n, (_, units) in enumerate(self.bought, 1) if str(n) != refused) > 1


@dataclass(slots=True)
class Purchase:
    """A basket to come. `missing_cents` were not paid; `loud` means that people are told by mail."""

    placed_at: datetime
    customer: int
    shares: list[Share]
    card: str = "visa-ok"
    missing_cents: int = 0
    loud: bool = False
    number: str = ""


class Hours:
    """When people are at their desks, in the channel's local time."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def answer(self, trader: Trader, after: datetime) -> datetime:
        """The next time somebody of the shop looks: some times on a working day, once on the others."""
        return self._next(after, trader.answers_at, ((10, 15),))

    def leaves(self, trader: Trader, after: datetime, days_late: int = 0) -> datetime:
        """The next time the carrier calls at the shop, on working days only."""
        moment = self._next(after, (trader.leaves_at,), ())
        for _ in range(days_late):
            moment = self._next(moment, (trader.leaves_at,), ())
        return moment

    def report(self, after: datetime) -> datetime:
        """The next time carriers report what they delivered."""
        return self._next(after, ((13, 40), (20, 10)), ((13, 40),))

    def office(self, after: datetime) -> datetime:
        """The next time the operator goes through what waits."""
        return self._next(after, ((11, 15), (17, 45)), ())

    def at(self, day_of: datetime, hour: int, minute: int) -> datetime:
        """A time of the clock on the local day of a moment."""
        calendar = self.calendar
        midnight = calendar.midnight(calendar.local_day(day_of)).astimezone(calendar.zone)
        return midnight.replace(hour=hour, minute=minute).astimezone(day_of.tzinfo)

    def _next(
        self, after: datetime, working: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]
    ) -> datetime:
        day = after
        while True:
            times = working if self.calendar.is_working(self.calendar.local_day(day)) else other
            moments = [self.at(day, *time) for time in times]
            found = min((moment for moment in moments if moment > after), default=None)
            if found is not None:
                return found
            day = self.at(day, 12, 0) + 24 * _HOUR


def invent(count: int, hours: Hours, *, seed: str, now: datetime) -> list[Purchase]:
    """So many purchases over the last days, each with the lives of its orders; steps may lie after `now`."""
    dice = random.Random(seed)
    first, *others = TRADERS
    purchases = []
    for _ in range(count):
        placed_at = _moment(dice, hours, now)
        trader = dice.choices(TRADERS, [one.weight for one in TRADERS])[0]
        traders = [trader]
        if dice.random() < 0.03:
            traders.append(dice.choice([one for one in (first, *others) if one is not trader]))
        purchase = Purchase(
            placed_at,
            dice.randrange(1, PEOPLE),
            [Share(one, _bought(dice, one)) for one in traders],
            card=dice.choices(list(_CARDS), list(_CARDS.values()))[0],
            missing_cents=dice.choice((500, 1000, 290)) if dice.random() < 0.005 else 0,
        )
        for share in purchase.shares:
            share.steps = _life(dice, hours, purchase, share)
        purchases.append(purchase)
    return purchases


def _moment(dice: random.Random, hours: Hours, now: datetime) -> datetime:
    """A moment of the last days: more of them lately, more in the evening, none after now."""
    while True:
        days_ago = int(DAYS * (1 - dice.random() ** 0.85))
        hour = dice.choices(range(24), _BUSY_HOURS)[0]
        day = hours.at(now, 12, 0) - timedelta(days=days_ago)
        moment = hours.at(day, hour, dice.randrange(60)) + timedelta(seconds=dice.randrange(60))
        if moment < now - timedelta(minutes=20):
            return moment


def _bought(dice: random.Random, trader: Trader) -> tuple[tuple[Article, int], ...]:
    lines = dice.choices((1, 2, 3), (89, 8, 3))[0]
    return tuple(
        (article, dice.choices((1, 2, 3, 4), (82, 12, 4, 2))[0])
        for article in dice.sample(trader.articles, lines)
    )


def _life(dice: random.Random, hours: Hours, purchase: Purchase, share: Share) -> list[Step]:
    """What happens to one order, from the shop's answer to the delivery; receipt and settlement come by themselves."""
    trader = share.trader
    answered_at = hours.answer(trader, purchase.placed_at + timedelta(minutes=dice.randrange(5, 90)))
    if dice.random() < 0.12:
        answered_at = hours.answer(trader, answered_at)
    fate = dice.random()
    if fate < 0.009:
        return []
    if fate < 0.016:
        return [Step(answered_at, Verb.REFUSE, dice.choice(_REFUSALS))]
    if fate < 0.020:
        soon = purchase.placed_at + timedelta(minutes=3)
        return [Step(soon, Verb.CANCEL, _CANCELLATIONS[0], Role.CUSTOMER)]
    refused = str(len(share.bought)) if len(share.bought) > 1 and dice.random() < 0.06 else ""
    steps = [Step(answered_at, Verb.ACCEPT, refused)]
    free_at = answered_at
    if purchase.missing_cents:
        free_at = hours.office(answered_at + 2 * _HOUR)
        if purchase.customer % 3 == 0:
            return [*steps, Step(free_at, Verb.CANCEL, "suspected-fraud", Role.OPERATOR)]
        steps.append(Step(free_at, Verb.RELEASE, HoldKind.PAYMENT_MISMATCH, Role.OPERATOR))
    if purchase.card == "visa-refused":
        return steps
    if 0.020 <= fate < 0.027:
        return [*steps, Step(free_at + 3 * _HOUR, Verb.CANCEL, dice.choice(_CANCELLATIONS), Role.OPERATOR)]
    if 0.027 <= fate < 0.032:
        steps.append(Step(free_at + 2.5 * _HOUR, Verb.HOLD, HoldKind.ADDRESS))
        free_at = hours.answer(trader, free_at + 20 * _HOUR)
        steps.append(Step(free_at, Verb.RELEASE, HoldKind.ADDRESS))
    elif 0.032 <= fate < 0.036:
        until = hours.at(free_at + timedelta(days=6), 0, 0)
        steps.append(Step(free_at + 2.5 * _HOUR, Verb.HOLD, HoldKind.PRESALE, until=until))
        free_at = until
    return steps + _journey(dice, hours, trader, share.divisible(refused), free_at)


def _journey(
    dice: random.Random, hours: Hours, trader: Trader, divisible: bool, free_at: datetime
) -> list[Step]:
    """Hand-over, now and then late or in two parcels, and what the carrier reports."""
    late = dice.choices((0, 1, 3, 4), (88, 9, 2, 1))[0]
    shipped_at = hours.leaves(trader, free_at + 3 * _HOUR, late)
    steps = []
    if divisible and dice.random() < 0.15:
        steps.append(Step(shipped_at, Verb.SHIP, part=True))
        shipped_at = hours.leaves(trader, shipped_at)
    steps.append(Step(shipped_at, Verb.SHIP))
    if dice.random() < 0.94:
        days = dice.choices((1, 2, 3, 4, 8), (30, 40, 18, 8, 4))[0]
        steps.append(Step(hours.report(shipped_at + days * 20 * _HOUR), Verb.DELIVER, by=Role.PLATFORM))
    return steps

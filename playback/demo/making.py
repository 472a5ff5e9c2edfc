"""Making the demonstration: the purchases and their lives, done to an empty database through the product's own doors.

Orders are placed a day at a time and everything else is done many at a time at its moment, with the live timers run
when they fall due in between. All of it is one transaction: whoever ends it half-way leaves nothing behind.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection, transaction

from marketplace import queries
from marketplace.models import Carrier, Channel
from marketplace.policy import Role
from marketplace.reasons import Why
from marketplace.refusals import Outcome
from marketplace.services import open_channel
from messaging.services import muted
from orders import services
from orders.models import Line
from orders.signals import Moved
from orders.states import HoldKind, Verb
from playback.clockwork import Clockwork
from playback.demo import asides
from playback.demo.billing import bill
from playback.demo.channels import open_others
from playback.demo.claims import CLAIMS, TROUBLES, act_on, answer
from playback.demo.goods import TRADERS, customer
from playback.demo.lists import keep_lists
from playback.demo.lives import DAYS, Hours, Purchase, Share, Step, invent
from playback.demo.people import ISSUER, People
from playback.demo.talking import talk
from playback.demo.window import Window
from sellers.desk import PLATFORM, Actor
from settlements import payees
from settlements.models import Payout
from settlements.queries import last_closing
from settlements.services import answer_payouts
from settlements.states import PayoutState

ORDERS = 3_000
_CARRIERS = ("correos-express", "seur", "gls", "mrw")
_TOLD_OF_LATE = timedelta(hours=2)
_BANK_TAKES = timedelta(days=2)
_LOCK = 0x6465_6D6F
_COUNTED = (
    "orders_order",
    "orders_line",
    "orders_hold",
    "payments_charge",
    "payments_payback",
    "ledger_entry",
)

type Progress = Callable[[int, int], None]
type Doing = tuple[Purchase, Share, Step]


def fill(
    people: People, *, scale: float = 1.0, at: datetime, progress: Progress = lambda done, of: None
) -> int:
    """Play the last ten weeks up to `at`; answers how many purchases there were.

    `scale` multiplies the orders of the past; what the shop window needs is always there.
    """
    with transaction.atomic():
        channel = _channel(at)
        payees.keep_issuer(channel, ISSUER, by=people.operator, at=at)
        hours = Hours(channel.calendar)
        assert channel.policy is not None
        window = Window(hours, channel.policy.rules, closing=last_closing(channel, at), now=at)
        past = [
            one
            for one in invent(round(ORDERS * scale), hours, seed="trastienda", now=at)
            if _over(one, at, hours)
        ]
        purchases = sorted([*past, *window.arrange()], key=lambda one: one.placed_at)
        for number, purchase in enumerate(purchases, 100_001):
            purchase.number = f"T-{number}"
        Making(channel, people, purchases, now=at).play(progress)
        keep_lists(people, channel, at=at)
        others = open_others(people, at=at)
        talk(people, channel, at=at)
        bill(people, channel, at=at)
        return len(purchases) + others


def alone() -> None:
    """Wait until nobody else makes the demonstration; to be called in the transaction that makes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _channel(at: datetime) -> Channel:
    channel = open_channel("tienda", "Tienda", by="trastienda", at=at - timedelta(days=DAYS + 5))
    channel.region = "MD"
    channel.save(update_fields=["region"])
    queries.forget()
    return channel


def _over(purchase: Purchase, at: datetime, hours: Hours) -> bool:
    """Whether the first shop has done its part: what is open there is what the window arranges."""
    by = at - timedelta(minutes=15)
    for share in purchase.shares:
        if share.trader is not TRADERS[0]:
            continue
        acts = [step.at for step in share.steps if step.verb != Verb.DELIVER]
        if max(acts, default=purchase.placed_at + timedelta(days=4)) > by:
            return False
    return True


class Making:
    """The making itself: `purchases` in the order of their moments, done up to `now`."""

    def __init__(
        self, channel: Channel, people: People, purchases: Sequence[Purchase], *, now: datetime
    ) -> None:
        self.channel, self.people, self.purchases, self.now = channel, people, purchases, now
        self.clock = Clockwork()
        self.refused: list[str] = []
        self._orders: dict[tuple[str, int], int] = {}
        listed = Carrier.objects.filter(code__in=_CARRIERS, active=True)
        self._carriers: list[Carrier | None] = [*listed.order_by("code")] or [None]
        self._last_closing = last_closing(channel, now)

    def play(self, progress: Progress) -> None:
        """Place each day's baskets, then do what is done on that day, moment by moment. Raises Astray."""
        steps = sorted(self._steps(), key=lambda doing: doing[2].at)
        days = [list(rows) for _, rows in groupby(self.purchases, key=lambda one: one.placed_at.date())]
        done = 0
        with self.clock.listening():
            for n, purchases in enumerate(days):
                self._place(purchases)
                until = days[n + 1][0].placed_at if n + 1 < len(days) else self.now
                steps = self._work(steps, until)
                self._answer_bank(until)
                done += len(purchases)
                if n in (8, 30):
                    _analyse()
                progress(done, len(self.purchases))
            self._run_to(self.now, inclusive=True)
        if self.refused:
            raise Astray("; ".join(self.refused[:5]))

    def _steps(self) -> Iterator[Doing]:
        for purchase in self.purchases:
            for share in purchase.shares:
                yield from ((purchase, share, step) for step in share.steps if step.at <= self.now)

    def _place(self, purchases: Sequence[Purchase]) -> None:
        for loud in (False, True):
            with nullcontext() if loud else muted():
                baskets = [self._basket(one) for one in purchases if one.loud == loud]
                outcome = services.place(self.channel, baskets)
            for move in outcome.moved:
                self._orders[move.reference.rpartition("-")[0], move.shop_id] = move.order_id
            self.refused += [f"place: {refusal.code}" for refusal in outcome.refused]

    def _basket(self, purchase: Purchase) -> services.NewBasket:
        lines = []
        for share in purchase.shares:
            shop = self.people.shop(share.trader)
            for n, (article, units) in enumerate(share.bought, 1):
                lines.append(
                    services.NewLine(
                        str(n),
                        shop.id,
                        article.sku,
                        article.title,
                        units,
                        article.price_cents,
                        article.shipping_cents,
                        share.trader.category,
                    )
                )
        total = sum(line.unit_price_cents * line.quantity + line.shipping_cents for line in lines)
        paid = total - purchase.missing_cents
        return services.NewBasket(
            commercial_id=purchase.number,
            currency=self.channel.currency,
            placed_at=purchase.placed_at,
            customer=customer(purchase.customer),
            lines=tuple(lines),
            payments=({"method": "card", "amount_cents": paid, "card": purchase.card},),
        )

    def _work(self, steps: list[Doing], until: datetime) -> list[Doing]:
        """Do the steps before a moment, those alike together; answers the steps that are left."""
        count = next((n for n, doing in enumerate(steps) if doing[2].at > until), len(steps))
        for (at, loud), rows in groupby(steps[:count], key=lambda doing: (doing[2].at, doing[0].loud)):
            self._run_to(at)
            with nullcontext() if loud else muted():
                for _, alike in groupby(sorted(rows, key=_kind), key=_kind):
                    self._do(list(alike), at)
                self.clock.settle_down()
        return steps[count:]

    def _do(self, doings: list[Doing], at: datetime) -> None:
        purchase, share, step = doings[0]
        ids = {self._id(one, where): (one, where) for one, where, _ in doings}
        by = self._actor(purchase, share, step)
        if step.verb in CLAIMS:
            self._claim(step, list(ids), by=by, at=at)
            return
        match step.verb:
            case Verb.ACCEPT:
                outcome = services.accept(self._answers(ids, step.told), by=by, at=at)
            case Verb.SHIP:
                outcome = services.ship(self._parcels(ids, step.part), by=by, at=at)
            case Verb.HOLD:
                outcome = services.hold(ids, HoldKind(step.told), until=step.until, by=by, at=at)
            case Verb.RELEASE:
                outcome = services.release(ids, HoldKind(step.told), by=by, at=at)
            case Verb.REFUSE:
                outcome = services.refuse(ids, reason=Why(step.told), by=by, at=at)
            case Verb.CANCEL:
                outcome = services.cancel(ids, reason=Why(step.told), by=by, at=at)
            case Verb.READY:
                outcome = services.ready(ids, by=by, at=at)
            case Verb.DELIVER:
                outcome = services.deliver(ids, by=by, at=at)
            case _:
                outcome = asides.act_on(ids, step, by=by, at=at)
        self._heed(step, outcome, ids)

    def _claim(self, step: Step, ids: Sequence[int], *, by: Actor, at: datetime) -> None:
        """An incident is opened, and what follows from it; "opened" by the shop is its answer in the conversation."""
        trouble = TROUBLES[int(step.told)]
        if step.verb == Verb.INCIDENT_OPENED and step.by == Role.SELLER:
            answer(ids, trouble, by=by, at=at)
            return
        outcome = act_on(ids, step.verb, trouble, by=by, at=at)
        self.refused += [f"{step.verb}: {refusal.code}" for refusal in outcome.refused]

    def _heed(self, step: Step, outcome: Outcome[Moved], ids: dict[int, tuple[Purchase, Share]]) -> None:
        for refusal in outcome.refused:
            purchase, share = ids[refusal.id]
            self.refused.append(
                f"{step.verb} {purchase.number} {purchase.card} of {share.trader.code}: {refusal.code}"
            )

    def _id(self, purchase: Purchase, share: Share) -> int:
        return self._orders[purchase.number, self.people.shop(share.trader).id]

    def _actor(self, purchase: Purchase, share: Share, step: Step) -> Actor:
        if step.by == Role.SELLER:
            return self.people.seller(share.trader)
        if step.by == Role.CUSTOMER:
            return Actor(Role.CUSTOMER, customer(purchase.customer).name)
        return self.people.operator if step.by == Role.OPERATOR else PLATFORM

    @staticmethod
    def _answers(ids: Iterable[int], refused: str) -> dict[int, services.Answer]:
        if not refused:
            return dict.fromkeys(ids, services.EVERYTHING)
        lines = Line.objects.filter(order_id__in=list(ids), external_id=refused)
        return {line.order_id: services.Answer({line.id: Why("out-of-stock")}) for line in lines}

    def _parcels(self, ids: Iterable[int], part: bool) -> dict[int, services.Parcel]:
        """A parcel of everything that is left, or of one unit of the first line."""
        units: dict[int, dict[int, int]] = {}
        if part:
            for line in Line.objects.filter(order_id__in=list(ids), decision="accepted").order_by("-id"):
                units[line.order_id] = {line.id: 1}
        return {
            order_id: services.Parcel(
                carrier=(carrier := self._carriers[order_id % len(self._carriers)]),
                carrier_name="" if carrier else "Reparto propio",
                tracking=f"{order_id * 7_919 % 10**6:06}{order_id:010}",
                quantities=units.get(order_id),
            )
            for order_id in ids
        }

    def _answer_bank(self, until: datetime) -> None:
        """The bank pays what it was sent, after its two days; the last settlement's money is still on its way."""
        waiting = Payout.objects.filter(state=PayoutState.IN_TRANSIT, created_at__lte=until - _BANK_TAKES)
        if self._last_closing:
            waiting = waiting.filter(created_at__lt=self._last_closing)
        if ids := list(waiting.values_list("id", flat=True)):
            answer_payouts(ids, paid=True, answer="abonada", at=until)

    def _run_to(self, moment: datetime, *, inclusive: bool = False) -> None:
        """Run the timers; only what they do in the last hours is told by mail."""
        quiet_until = self.now - _TOLD_OF_LATE
        if moment > quiet_until:
            if self.clock.at < quiet_until:
                with muted():
                    self.clock.run_to(quiet_until)
            self.clock.run_to(moment, inclusive=inclusive)
        else:
            with muted():
                self.clock.run_to(moment, inclusive=inclusive)


class Astray(Exception):
    """A step of the demonstration was refused: the plan and the rules do not agree."""


def _kind(doing: Doing) -> tuple[str, ...]:
    """What can be done in one call: the same act by the same person for the same reason."""
    purchase, share, step = doing
    person = str(purchase.customer) if step.by == Role.CUSTOMER else ""
    shop = share.trader.code if step.by == Role.SELLER else ""
    return step.verb, shop, step.told, step.by, str(step.until or ""), str(step.part), person


def _analyse() -> None:
    """Let the planner know that the tables have filled."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_COUNTED)}")

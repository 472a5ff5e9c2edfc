"""The verbs of reviews: ask once, remind once, write, hide (REV-01 … REV-03)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from incidents.models import Incident
from incidents.states import STANDING
from marketplace import bulk, clocks, queries
from marketplace.lettering import visible
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from messaging.models import Audience, Notice
from messaging.services import COLUMNS, notice_row, tell_shops
from messaging.templates import unfilled
from orders.models import Order
from orders.signals import Moved
from orders.states import State
from quality.models import LONGEST_REVIEW, STARS, Review, ReviewRequest
from sellers.desk import Actor, Right

LONGEST_REMINDER = 2000
_PUT_OFF = timedelta(days=1)
_GOT_IT = (State.DELIVERED, State.RECEIVED, State.CLOSED)
"""States in which a customer has what they bought."""


def plan_requests(moves: Sequence[Moved]) -> int:
    """Plan to ask for a review some days after an order was delivered, or counts as received; once an order."""
    rows = []
    for move in moves:
        if not move.customer_email:
            continue
        span = queries.policy(move.policy_id).rules.review_after.span
        ask_at = clocks.deadline(move.at, span, queries.channel(move.channel_id).calendar)
        rows.append((move.order_id, move.shop_id, ask_at, ""))
    return len(bulk.insert_missing(ReviewRequest, ("order_id", "shop_id", "ask_at", "reminded_by"), rows))


def drop_requests(order_ids: Iterable[int], *, at: datetime) -> int:
    """Ask nothing of customers whose order came back, and answer how many would have been asked."""
    rows = ReviewRequest.objects.filter(order_id__in=list(order_ids), settled_at=None)
    return rows.update(ask_at=None, settled_at=at)


@transaction.atomic
def ask(request_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Mail customers the request for a review of their order, once (REV-01).

    One whose order has an open incident, settled or not, is put off by a day: it is no moment to ask.
    """
    rows = bulk.lock(ReviewRequest, list(request_ids), skip_locked=True)
    orders = Order.objects.select_related("shop").in_bulk([row.order_id for row in rows])
    standing = Incident.objects.filter(order_id__in=list(orders), state__in=STANDING)
    disputed = set(standing.values_list("order_id", flat=True))
    told, asked = [], []
    for row in rows:
        order = orders[row.order_id]
        if row.ask_at is None or row.ask_at > at:
            continue
        if order.id in disputed:
            row.ask_at += _PUT_OFF
        else:
            row.ask_at, row.asked_at = None, at
            asked.append(row.id)
            told.append(_notice("review_asked", order, {}, at=at))
    bulk.update(
        ReviewRequest, ("id", "ask_at", "asked_at"), [(row.id, row.ask_at, row.asked_at) for row in rows]
    )
    bulk.insert(Notice, COLUMNS, told)
    return Outcome(asked)


def _notice(event: str, order: Order, more: Mapping[str, object], *, at: datetime) -> tuple[object, ...]:
    payload = {
        "reference": order.reference,
        "shop": order.shop.name,
        "channel_id": order.channel_id,
        "customer": order.customer_name,
        "items": order.items_text,
        "total_cents": order.total_cents,
        "currency": order.currency,
        "at": at.isoformat(),
        **more,
    }
    to = (order.customer_email, order.customer_language)
    return notice_row(
        event, Audience.CUSTOMER, to, json.dumps(payload), shop_id=order.shop_id, order_id=order.id, at=at
    )


def _refused(code: Code, row_id: int) -> MoveRefused:
    return MoveRefused(Refusal(row_id, code))


@transaction.atomic
def remind(order: Order, text: str, *, by: Actor, at: datetime) -> None:
    """Send the customer a personal reminder of the request, in the shop's own words, once (REV-02).

    Raises MoveRefused: `not_allowed`, `empty_message`, `too_long`, `unfilled` (MSG-12); `not_asked` before the request
    went out; `duplicate` after a review or a reminder.
    """
    if by.role != Role.SELLER or not by.may(Right.ANSWER):
        raise _refused(Code.NOT_ALLOWED, order.id)
    body = visible(text)
    if not body:
        raise _refused(Code.EMPTY_MESSAGE, order.id)
    if len(body) > LONGEST_REMINDER:
        raise _refused(Code.TOO_LONG, order.id)
    if missing := unfilled(body):
        raise MoveRefused(Refusal(order.id, Code.UNFILLED, missing))
    row = ReviewRequest.objects.select_for_update(no_key=True).filter(order=order).first()
    if row is None or row.asked_at is None:
        raise _refused(Code.NOT_ASKED, order.id)
    if row.settled_at is not None or row.reminded_at is not None:
        raise _refused(Code.DUPLICATE, order.id)
    row.reminded_at, row.reminded_by = at, by.label
    row.save(update_fields=["reminded_at", "reminded_by"])
    said = {"author": by.label, "text": [line for line in body.splitlines() if line.strip()]}
    bulk.insert(Notice, COLUMNS, [_notice("review_reminder", order, said, at=at)])


def judge_review(order: Order, *, by: Actor) -> Code | None:
    """Why this actor cannot review an order as it stands; None when they can. Whether they did already is another
    matter: see `quality.queries.review_of`."""
    if by.role != Role.CUSTOMER:
        return Code.NOT_ALLOWED
    return None if order.state in _GOT_IT else Code.TOO_EARLY


@transaction.atomic
def write_review(order: Order, stars: int, text: str, *, by: Actor, at: datetime) -> Review:
    """Keep what a customer says of their order, once; it counts in the shop's score at once, and the shop is told.

    Raises MoveRefused: `not_allowed` to anybody else; `too_early` before they have it; `malformed`, `too_long`;
    `duplicate` when it was reviewed already (REV-03).
    """
    if stars not in STARS:
        raise _refused(Code.MALFORMED, order.id)
    if len(text) > LONGEST_REVIEW:
        raise _refused(Code.TOO_LONG, order.id)
    order = _standing(order)
    if code := judge_review(order, by=by):
        raise _refused(code, order.id)
    if Review.objects.filter(order=order).exists():
        raise _refused(Code.DUPLICATE, order.id)
    review = Review.objects.create(
        shop=order.shop, order=order, stars=stars, text=text.strip(), author=by.label, written_at=at
    )
    drop_requests([order.id], at=at)
    _count(order.shop_id, 1, stars)
    told = {"reference": order.reference, "channel_id": order.channel_id, "stars": stars, "author": by.label,
            "text": [line for line in review.text.splitlines() if line.strip()], "at": at.isoformat()}  # fmt: skip
    tell_shops("review_written", [(order.shop_id, told)], at=at)
    return review


def _standing(order: Order) -> Order:
    """The order as it stands, locked: a second review waits for the first, and finds it."""
    return Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(id=order.id)


_COUNT = """
    INSERT INTO quality_score (shop_id, reviews_count, stars_sum) VALUES (%s, greatest(%s, 0), greatest(%s, 0))
    ON CONFLICT (shop_id) DO UPDATE
       SET reviews_count = quality_score.reviews_count + %s, stars_sum = quality_score.stars_sum + %s
    """


def _count(shop_id: int, reviews: int, stars: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [shop_id, reviews, stars, reviews, stars])


@transaction.atomic
def hide(review_ids: Sequence[int], *, because: str, by: Actor, at: datetime) -> Outcome[int]:
    """Take reviews out of sight and out of the score, with a reason that the shop can read; operators only.

    Refused one by one: `not_allowed`, `reason_needed`, `wrong_state` when it is hidden already.
    """
    return _show(review_ids, hidden=True, because=because.strip(), by=by, at=at)


@transaction.atomic
def show(review_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[int]:
    """Bring hidden reviews back; operators only. Refused: `not_allowed`, `wrong_state` when it is not hidden."""
    return _show(review_ids, hidden=False, because="", by=by, at=at)


def _show(review_ids: Sequence[int], *, hidden: bool, because: str, by: Actor, at: datetime) -> Outcome[int]:
    done, refused = [], []
    for review in bulk.lock(Review, sorted(review_ids)):
        code = None
        if by.role != Role.OPERATOR:
            code = Code.NOT_ALLOWED
        elif (review.hidden_at is not None) == hidden:
            code = Code.WRONG_STATE
        elif hidden and not because:
            code = Code.REASON_NEEDED
        if code is not None:
            refused.append(Refusal(review.id, code))
            continue
        review.hidden_at = at if hidden else None
        review.hidden_by, review.hidden_because = (by.label, because) if hidden else ("", "")
        review.save(update_fields=["hidden_at", "hidden_by", "hidden_because"])
        sign = -1 if hidden else 1
        _count(review.shop_id, sign, sign * review.stars)
        done.append(review.id)
    return Outcome(done, refused)

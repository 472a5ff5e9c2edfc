"""Reads of reviews: what is to be asked, the score, the lists (REV-01 … REV-03)."""

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from marketplace import bulk
from marketplace.batches import Key
from orders.models import Order
from orders.queries import EARLIEST
from quality.models import STARS, Review, ReviewRequest, Score
from sellers.models import Shop


def due_requests(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Requests for reviews whose moment has come (REV-01)."""
    since, row_id = after or EARLIEST
    rows = bulk.fetch(
        "SELECT ask_at, id FROM quality_reviewrequest WHERE ask_at <= %s AND (ask_at, id) > (%s, %s) "
        "ORDER BY ask_at, id LIMIT %s",
        [at, since, row_id, count],
    )
    return [(due_at, found) for due_at, found in rows]


def next_request() -> datetime | None:
    """When the next customer is to be asked for a review."""
    moment: datetime | None = bulk.fetch(
        "SELECT min(ask_at) FROM quality_reviewrequest WHERE ask_at IS NOT NULL"
    )[0][0]
    return moment


def review_of(order: Order) -> Review | None:
    """What the customer said of an order, if anything."""
    return Review.objects.filter(order=order).first()


def score_of(shop: Shop) -> Score:
    """What the reviews of a shop come to; of one without any, nothing (REV-03)."""
    return Score.objects.filter(shop=shop).first() or Score(shop=shop)


def reviews_of(shop: Shop) -> QuerySet[Review]:
    """The reviews of a shop, newest first; hidden ones stay readable to it, and say that they are hidden."""
    return Review.objects.filter(shop=shop).select_related("order").order_by("-written_at", "-id")


def by_stars(shop: Shop) -> dict[int, int]:
    """How many reviews that are not hidden gave how many stars, from five down."""
    counted = Review.objects.filter(shop=shop, hidden_at=None).aggregate(
        **{f"n{n}": Count("id", filter=Q(stars=n)) for n in STARS}
    )
    return {n: counted[f"n{n}"] for n in reversed(STARS)}


def after[Row: (Review, ReviewRequest)](
    rows: QuerySet[Row], column: str, place: tuple[datetime, int]
) -> QuerySet[Row]:
    """The rows of a list, newest first by a column, that come after one of them."""
    at, row_id = place
    return rows.filter(Q(**{f"{column}__lt": at}) | Q(**{column: at}, id__lt=row_id))


def unanswered_of(shop: Shop) -> QuerySet[ReviewRequest]:
    """Requests that a shop's customers have not answered, those asked last first."""
    rows = ReviewRequest.objects.filter(shop=shop, asked_at__isnull=False, settled_at=None)
    return rows.select_related("order").order_by("-asked_at", "-id")

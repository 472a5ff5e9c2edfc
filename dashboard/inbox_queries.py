"""Reads of the inbox: a shop's conversations by keyset, what was last said in each, and how many wait (MSG-01).

A counter goes no further than `COUNTED`, so that it costs the same whatever a shop has received.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from dashboard.asked import Place
from dashboard.inbox_asked import Asked
from messaging import readers
from messaging.models import Message, Thread
from orders.models import Words
from orders.queries import folded
from sellers.desk import Actor
from sellers.models import Membership

PAGE = 50
COUNTED = 100
FOUND = 2000
"""Of what was said, as many of the newest matches does a search look at."""

_CONFIGS = ("spanish", "english")
_UNREAD = Q(to_shop=True, read_by_shop_at__isnull=True)


class Counts(NamedTuple):
    """How many conversations of a shop wait for an answer, are late, have something unread, are one's own."""

    waiting: int = 0
    late: int = 0
    unread: int = 0
    mine: int = 0


def counts(member: Membership, now: datetime) -> Counts:
    """Count them in one read, each up to `COUNTED`; a supplier has no inbox."""
    if member.supplier_id is not None:
        return Counts()
    threads = "SELECT 1 FROM messaging_thread WHERE shop_id = %(shop)s AND"
    each = (
        f"{threads} waiting > 0 LIMIT %(most)s",
        f"{threads} waiting > 0 AND answer_by < %(now)s LIMIT %(most)s",
        "SELECT DISTINCT thread_id FROM messaging_message WHERE shop_id = %(shop)s AND to_shop "
        "AND read_by_shop_at IS NULL AND visible_at <= %(now)s LIMIT %(most)s",
        f"{threads} assignee_id = %(member)s LIMIT %(most)s",
    )
    sql = "SELECT " + ", ".join(f"(SELECT count(*) FROM ({one}) AS found)" for one in each)
    told: dict[str, Any] = {"shop": member.shop_id, "now": now, "most": COUNTED, "member": member.id}
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        return Counts(*cursor.fetchone())


def narrowed(member: Membership, asked: Asked, *, by: Actor, at: datetime) -> Q:
    """Everything that an address asks for but its page."""
    where = {
        "": Q(),
        "esperan": Q(waiting__gt=0),
        "retraso": Q(waiting__gt=0, answer_by__lt=at),
        "sin-leer": Q(id__in=_unread(member, at).values("thread_id")),
        "mias": Q(assignee_id=member.id),
    }[asked.tab]
    where &= {
        "": Q(),
        "cliente": Q(with_customer=True),
        "operador": Q(with_operator=True),
        "proveedor": Q(supplier__isnull=False),
    }[asked.who]
    if asked.reason:
        where &= ~Q(reason_code="") & Q(reason_code=asked.reason)
    if asked.words:
        where &= Q(id__in=_found(member, asked.words, by=by, at=at))
    return where


def _unread(member: Membership, at: datetime) -> QuerySet[Message]:
    return Message.objects.filter(_UNREAD, shop_id=member.shop_id, visible_at__lte=at)


def said(member: Membership, words: str, *, by: Actor, at: datetime) -> QuerySet[Message]:
    """What was said with these words, in Spanish or in English, and may be read: by the index of the shop's words."""
    one, other = (SearchQuery(words, config=config, search_type="websearch") for config in _CONFIGS)
    return readers.of_member(by, member.shop_id, at=at).filter(words=one | other)


def _found(member: Membership, words: str, *, by: Actor, at: datetime) -> QuerySet[Any, Any]:
    """Conversations in which these words were said, and those about an order that they find."""
    texts = Words.objects.filter(shop_id=member.shop_id)
    for word in folded(words).split():
        texts = texts.filter(text__contains=word)
    about = Thread.objects.filter(
        shop_id=member.shop_id, order_id__in=texts.order_by("-order_id").values("order_id")[:FOUND]
    )
    messages = Message.objects.filter(
        id__in=said(member, words, by=by, at=at).order_by("-id").values("id")[:FOUND]
    )
    return (
        messages.order_by()
        .values_list("thread_id", flat=True)
        .union(about.order_by().values_list("id", flat=True))
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation of the list, and what was last said in it."""

    thread: Thread
    last: Message
    unread: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    rows: list[Row]
    previous: Place | None
    next: Place | None


def page(member: Membership, asked: Asked, *, by: Actor, at: datetime) -> Page:
    """The conversations of an address: by their deadline where they wait, else the last written in first. Two queries.

    One whose only message nobody but its author sees yet is left out.
    """
    threads = _read(member, asked, by=by, at=at)
    backwards = asked.before is not None
    more, threads = len(threads) > PAGE, threads[:PAGE]
    if backwards:
        threads.reverse()
    if not threads:
        return Page([], None, None)
    lasts = Message.objects.defer("words").in_bulk([key for one in threads if (key := _last(one))])
    rows = [
        Row(one, lasts[_last(one)], bool(getattr(one, "unread", False)))
        for one in threads
        if _last(one) in lasts
    ]
    first, last = (_place(one, asked) for one in (threads[0], threads[-1]))
    has_previous = more if backwards else asked.after is not None
    return Page(rows, first if has_previous else None, last if backwards or more else None)


def _last(thread: Thread) -> int:
    return int(getattr(thread, "last_id", None) or 0)


def _place(thread: Thread, asked: Asked) -> Place:
    at = thread.answer_by if asked.by_deadline else thread.written_at
    assert at is not None
    return Place(at, thread.id)


def _read(member: Membership, asked: Asked, *, by: Actor, at: datetime) -> list[Thread]:
    column, falls = ("answer_by", False) if asked.by_deadline else ("written_at", True)
    backwards, place = asked.before is not None, asked.before or asked.after
    down = falls != backwards
    messages = readers.of_member(by, member.shop_id, at=at).filter(thread=OuterRef("pk"))
    rows = (
        Thread.objects.filter(narrowed(member, asked, by=by, at=at), shop_id=member.shop_id)
        .select_related("order__channel", "supplier", "assignee__user", "request")
        .annotate(
            last_id=Subquery(messages.order_by("-id").values("id")[:1]),
            unread=Exists(_unread(member, at).filter(thread=OuterRef("pk"))),
        )
    )
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"{column}__{at_most}": place.at}),
            Q(**{f"{column}__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    order = (F(column).desc(), F("id").desc()) if down else (F(column).asc(), F("id").asc())
    return list(rows.order_by(*order)[: PAGE + 1])

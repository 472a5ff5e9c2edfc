"""The centre of notices in the panel: what a shop was told, unread first, each leading to its thing (NOT-02)."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from jinja2 import TemplateError

from messaging.documents import Letters
from messaging.event_words import event_word
from messaging.models import Audience, Notice, NoticeMark, NoticeSeen
from sellers import desk_counts
from sellers.models import Membership

logger = logging.getLogger(__name__)


class Told(NamedTuple):
    """A notice as the centre shows it: what it says, where it leads, and whether it was read."""

    notice: Notice
    says: str
    read: bool


def told_to(member: Membership) -> QuerySet[Notice]:
    """What a member's shop was told; a supplier has a desk of their own lines, and no centre (ROL-04)."""
    rows = Notice.objects.filter(shop_id=member.shop_id, audience=Audience.SELLER, muted=False)
    return rows if member.supplier_id is None else rows.none()


def _unread(member: Membership, mark: int) -> QuerySet[Notice]:
    return told_to(member).filter(~Exists(_seen_by(member.pk)), id__gt=mark)


def _mark(member: Membership) -> int:
    """The notice up to which this member has read everything; 0 for none."""
    return NoticeMark.objects.filter(membership=member).values_list("upto", flat=True).first() or 0


def _seen_by(membership: Any) -> QuerySet[NoticeSeen]:
    return NoticeSeen.objects.filter(membership_id=membership, notice=OuterRef("id"))


def _unread_of_each() -> QuerySet[Notice]:
    """What each member of a shop has not read, whoever they are."""
    mark = NoticeMark.objects.filter(membership=OuterRef(OuterRef("id"))).values("upto")
    rows = Notice.objects.filter(shop_id=OuterRef("shop_id"), audience=Audience.SELLER, muted=False)
    return rows.filter(~Exists(_seen_by(OuterRef(OuterRef("id")))), id__gt=Coalesce(Subquery(mark), 0))


def page(member: Membership, *, before: int | None, count: int) -> tuple[list[Told], int | None]:
    """Notices with those unread first, newest first in each part; and where the next page begins.

    `before` is the id that the page comes before, negative in the part of those that were read.
    """
    mark = _mark(member)
    new = _unread(member, mark).order_by("-id")
    if before is not None:
        new = new.filter(id__lt=before) if before > 0 else new.none()
    found = [(one, False) for one in new[: count + 1]]
    if len(found) <= count:
        old = told_to(member).filter(Q(id__lte=mark) | Exists(_seen_by(member.pk))).order_by("-id")
        if before is not None and before < 0:
            old = old.filter(id__lt=-before)
        found += [(one, True) for one in old[: count + 1 - len(found)]]
    more = None
    if len(found) > count:
        last, read = found[count - 1]
        more = -last.id if read else last.id
    return _told(found[:count]), more


def _told(found: Sequence[tuple[Notice, bool]]) -> list[Told]:
    letters = Letters()
    return [Told(notice, _says(letters, notice), read) for notice, read in found]


def _says(letters: Letters, notice: Notice) -> str:
    """What a notice says in one line; one of a kind that has no words any more says what it was about."""
    try:
        return letters.subject(notice)
    except (TemplateError, KeyError, ValueError, TypeError):
        logger.exception("notice %s cannot be said in a line", notice.pk)
        return event_word(notice.event)


def leads_to(notice: Notice) -> str:
    """The page of the panel that a notice is about: where the button of its mail leads; "" where it leads nowhere."""
    try:
        parts = urlsplit(Letters().address(notice))
    except (TemplateError, KeyError, ValueError, TypeError):
        logger.exception("notice %s leads nowhere", notice.pk)
        return ""
    if parts.netloc != urlsplit(settings.SITE_URL).netloc:
        return ""
    return parts._replace(scheme="", netloc="").geturl()


def see(member: Membership, notice: Notice, *, at: datetime) -> None:
    """Note that a member has read a notice of their shop; once is enough."""
    NoticeSeen.objects.bulk_create(
        [NoticeSeen(membership=member, shop_id=member.shop_id, notice=notice, seen_at=at)],
        ignore_conflicts=True,
    )


def see_all(member: Membership, *, upto: int, at: datetime) -> None:
    """Note that a member has read every notice up to one of them: those that came since they looked stay unread."""
    NoticeMark.objects.update_or_create(membership=member, defaults={"upto": upto, "marked_at": at})
    NoticeSeen.objects.filter(membership=member, notice_id__lte=upto).delete()


desk_counts.add("notices", _unread_of_each)

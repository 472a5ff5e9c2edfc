"""What was taken back, until it is sent: it waits in the session of who wrote it, and is nowhere else (MSG-06)."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest

_KEY = "draft"
KEPT = timedelta(minutes=30)
"""For how long a text that was taken back is put into its box again."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is not sent: of which order and conversation (0 for a new one), for whom, and its words."""

    order_id: int
    thread_id: int
    to: str
    text: str
    reason: str = ""
    subject: str = ""


def keep(request: HttpRequest, draft: Draft, at: datetime) -> None:
    """Keep a draft; the one before it goes."""
    request.session[_KEY] = asdict(draft) | {"at": at.timestamp()}


def forget(request: HttpRequest) -> None:
    """Drop the draft: it was sent."""
    if _KEY in request.session:
        del request.session[_KEY]


def draft_of(request: HttpRequest, order_id: int, at: datetime) -> Draft | None:
    """The draft of an order, if there is one that is not old."""
    kept = dict(request.session.get(_KEY) or {})
    if kept.get("order_id") != order_id or at.timestamp() - kept.pop("at") > KEPT.total_seconds():
        return None
    return Draft(**kept)
